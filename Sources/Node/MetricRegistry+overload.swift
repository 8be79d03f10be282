import ClipModel
import Jobs
import Store
import Telemetry

extension MetricRegistry {
    /// On which level this node's region is, and how long each region's queue is, as this node saw them last.
    func addOverload(_ watch: OverloadWatch) {
        let level = MetricDeclaration.gauge(
            "overload_level",
            help: "0 normal, 1 batch waits, 2 new jobs go elsewhere, 3 new jobs begin later, 4 new work is refused.",
            labels: ["region"])
        let queue = MetricDeclaration.gauge(
            "overload_queue_seconds", unit: .seconds, help: "Until a job that comes now into this region is done.",
            labels: ["region"])
        let deferred = MetricDeclaration.gauge(
            "overload_deferred_jobs", help: "Jobs that were taken in to be begun later.", labels: ["region"])
        addReader([level, queue, deferred]) { readings in
            let state = watch.state
            readings.gauge(level.name, labels: [watch.region.rawValue], Double(state.level.rung))
            for region in state.queues?.regions ?? [] {
                let labels = [region.region.rawValue]
                readings.gauge(deferred.name, labels: labels, Double(region.deferredJobs))
                guard let seconds = state.queues?.expectedSeconds(in: region.region) else { continue }
                readings.gauge(queue.name, labels: labels, seconds)
            }
        }
    }
}

import Foundation

// usage: bench TIJERA VIDEO DATA_FOLDER THRESHOLDS.json WHISPER_MODEL
//
// Runs one video through a cluster that was just started, then the same tools by hand, then the queue alone, prints a
// table and compares it with the thresholds. Exits 1 when one is passed.

struct ClusterFile: Decodable {
    struct Node: Decodable {
        let name: String
        let pid: Int32
        let http: String
    }
    let nodes: [Node]
    let database: String
}

struct Report: Decodable {
    struct Stage: Decodable {
        let name: String
        let startedAt: String?
        let endedAt: String?
        let node: String?
    }
    struct Clip: Decodable {
        let start: Double
        let durationSeconds: Double
    }
    struct Job: Decodable {
        let durationSeconds: Double
        let startedAt: String
        let endedAt: String
        let stages: [Stage]
        let clips: [Clip]
    }
    let job: Job
}

struct Threshold: Decodable {
    let atMost: Double?
    let atLeast: Double?
}

func moment(_ text: String) throws -> Date {
    let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
    return try style.parse(text)
}

/// A line, without a buffer: it is seen at once, also in a file, also when the run breaks off.
func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

func rounded(_ value: Double, _ places: Double = 100) -> Double { (value * places).rounded() / places }

func row(_ cells: [String]) { say("| " + cells.joined(separator: " | ") + " |") }

func runJob(
    _ tijera: String, _ video: String, _ cluster: ClusterFile, out: String
) throws -> (Report.Job, cpu: Double) {
    let pids = cluster.nodes.map(\.pid)
    let before = Processes.cpuSeconds(of: pids)
    let done = try Processes.must(
        tijera, ["clip", video, "--out", out, "--server", cluster.nodes[0].http, "--json"])
    let cpu = Processes.cpuSeconds(of: pids) - before
    return (try JSONDecoder().decode(Report.self, from: done.output).job, cpu)
}

func stageTable(_ job: Report.Job) throws {
    row(["stage", "runs", "seconds together", "nodes"])
    row(["---", "---", "---", "---"])
    for (name, stages) in Dictionary(grouping: job.stages, by: \.name).sorted(by: { $0.key < $1.key }) {
        let seconds = try stages.map { stage -> Double in
            guard let start = stage.startedAt, let end = stage.endedAt else { return 0 }
            return try moment(end).timeIntervalSince(moment(start))
        }.reduce(0.0) { $0 + $1 }
        row([name, "\(stages.count)", "\(rounded(seconds, 10))", "\(Set(stages.compactMap(\.node)).count)"])
    }
}

func check(_ figures: [String: Double], against path: String) throws -> Bool {
    let groups = try JSONDecoder().decode(
        [String: [String: Threshold]].self, from: Data(contentsOf: URL(filePath: path)))
    guard let thresholds = groups["job"] else { throw BenchmarkError("\(path) says nothing about the job") }
    var isGood = true
    row(["figure", "value", "threshold", ""])
    row(["---", "---", "---", "---"])
    for (name, threshold) in thresholds.sorted(by: { $0.key < $1.key }) {
        guard let value = figures[name] else { throw BenchmarkError("nothing measured \(name)") }
        let passes = value <= threshold.atMost ?? .infinity && value >= threshold.atLeast ?? -.infinity
        isGood = isGood && passes
        let bound = threshold.atMost.map { "at most \($0)" } ?? "at least \(threshold.atLeast ?? 0)"
        row([name, "\(rounded(value))", bound, passes ? "ok" : "PASSED ITS BOUND"])
    }
    return isGood
}

struct ClaimFigures: Decodable {
    let stagesPerSecond: Double
    let claimMillisecondsMedian: Double
    let claimMillisecondsP99: Double
}

/// The queue alone, in a database of its own: the nodes of the cluster would take the empty stages for work.
func runClaims(_ tijera: String, _ cluster: ClusterFile) throws -> ClaimFigures {
    _ = try Processes.must("psql", [cluster.database, "-qc", "create database bench"])
    let own = cluster.database.replacingOccurrences(of: "///tijera?", with: "///bench?")
    guard own != cluster.database else { throw BenchmarkError("cannot read the database's URL") }
    return try JSONDecoder().decode(
        ClaimFigures.self,
        from: Processes.must(tijera, ["bench", "queue", "--store", own, "--jobs", "300"]).output)
}

/// Whether every figure is within its bound.
func run(_ arguments: [String]) throws -> Bool {
    guard arguments.count == 6 else {
        throw BenchmarkError("usage: bench TIJERA VIDEO DATA_FOLDER THRESHOLDS.json WHISPER_MODEL")
    }
    let (tijera, video, data) = (arguments[1], arguments[2], arguments[3])
    let cluster = try JSONDecoder().decode(
        ClusterFile.self, from: Data(contentsOf: URL(filePath: data + "/cluster.json")))
    let work = data + "/bench"
    try FileManager.default.createDirectory(atPath: work, withIntermediateDirectories: true)

    let (job, jobCPU) = try runJob(tijera, video, cluster, out: work + "/clips")
    let jobSeconds = try moment(job.endedAt).timeIntervalSince(moment(job.startedAt))
    let memory = cluster.nodes.map { Processes.peakMemoryMB(of: $0.pid) }.max() ?? 0
    say("Whole job: \(rounded(job.durationSeconds, 10)) s of video, \(job.clips.count) clips\n")
    try stageTable(job)

    let threads = ProcessInfo.processInfo.activeProcessorCount
    let byHand = ByHand(
        video: video, folder: work, whisperBench: [tijera, "bench", "transcribe", "--model", arguments[5]],
        threads: threads)
    let steps = try byHand.run(clips: job.clips.map { ByHand.Clip(start: $0.start, seconds: $0.durationSeconds) })
    let handWall = steps.map(\.wall).reduce(0, +), handCPU = steps.map(\.cpu).reduce(0, +)
    say("\nThe same tools by hand, one after the other, \(threads) threads each\n")
    row(["step", "wall s", "CPU s"])
    row(["---", "---", "---"])
    for step in steps { row([step.name, "\(rounded(step.wall, 10))", "\(rounded(step.cpu, 10))"]) }

    say("\nTogether\n")
    row(["", "wall s", "CPU s"])
    row(["---", "---", "---"])
    row(["job", "\(rounded(jobSeconds, 10))", "\(rounded(jobCPU, 10))"])
    row(["by hand", "\(rounded(handWall, 10))", "\(rounded(handCPU, 10))"])
    row(["ratio", "\(rounded(jobSeconds / handWall))", "\(rounded(jobCPU / handCPU))"])
    let claim = try runClaims(tijera, cluster)
    say(
        "\nQueue: \(rounded(claim.stagesPerSecond, 1)) empty stages a second; a claim takes "
            + "\(claim.claimMillisecondsMedian) ms (median), \(claim.claimMillisecondsP99) ms (p99)\n")
    return try check(
        [
            "jobSecondsPerSecondOfVideo": jobSeconds / job.durationSeconds, "jobWallToByHand": jobSeconds / handWall,
            "stagesPerSecond": claim.stagesPerSecond, "nodeMemoryMB": memory,
        ], against: arguments[4])
}

do { exit(try run(CommandLine.arguments) ? 0 : 1) } catch {
    FileHandle.standardError.write(Data("bench: \(error)\n".utf8))
    exit(2)
}

import Foundation

/// The same load for every peer, and the same as `tijera bench calls` puts on its own two nodes.
enum Load {
    static let payload = [UInt8](repeating: 7, count: 100)
    static let inFlight = 256
    /// Connections are made and caches are filled before anything counts.
    static let warmUp = Duration.seconds(0.5)
}

/// What a peer manages, in the units and under the names of `tijera bench calls`.
struct Figures: Encodable {
    /// With `Load.inFlight` callers.
    let callsPerSecond: Double
    /// One call at a time.
    let callMicrosecondsMedian: Double
    let callMicrosecondsP99: Double

    /// - Parameter single: how long each call took while there was one at a time.
    init(callsPerSecond: Double, single: [Duration]) {
        let sorted = single.sorted()
        self.callsPerSecond = callsPerSecond
        callMicrosecondsMedian = Self.microseconds(sorted, at: 0.5)
        callMicrosecondsP99 = Self.microseconds(sorted, at: 0.99)
    }

    private static func microseconds(_ sorted: [Duration], at share: Double) -> Double {
        precondition(!sorted.isEmpty, "not one call came back")
        return sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))] / .microseconds(1)
    }
}

/// The certificates of both ends, as cluster/lib/certificates.sh makes them.
struct Certificates {
    let folder: String

    var authorities: String { "\(folder)/ca.pem" }
    func chain(_ node: String) -> String { "\(folder)/\(node).pem" }
    func key(_ node: String) -> String { "\(folder)/\(node).key" }
}

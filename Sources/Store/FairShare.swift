package import ClipModel

/// How clients share the cluster: start-time fair queueing over jobs.
///
/// Every job gets a start tag (`rank`) when it is taken in, and stages are claimed in the order of their jobs' ranks.
/// The tag is the virtual time of that moment or, if that is later, the finish tag of the same client's job before; the
/// finish tag lies the job's cost behind. So a client that asks for much queues behind itself, and one that asks for
/// little comes next, whatever others have waiting.
///
/// A job waits, beyond the work of its own client before it, for at most the sum over the other clients of their
/// largest job. Source: Goyal, Vin, Cheng: "Start-time Fair Queueing: A Scheduling Algorithm for Integrated Services
/// Packet Switching Networks", 1996, theorem 4.
package enum FairShare {
    /// What a job costs, in seconds of video: from the bytes of its upload, because nobody has looked into it yet. A
    /// short file still costs the effort of a job.
    package static func cost(of upload: Upload) -> Double { max(secondsMin, Double(upload.bytes) / bytesPerSecond) }

    /// 2 Mbit/s, as talks are commonly encoded.
    package static let bytesPerSecond = 250_000.0
    package static let secondsMin = 30.0

    /// - Parameters:
    ///   - running: highest rank of a job that is being worked on.
    ///   - ready: lowest rank of a job that waits.
    ///   - finish: highest finish tag of any client: where virtual time stands when nothing is left to do.
    package static func virtualTime(running: Double?, ready: Double?, finish: Double?) -> Double {
        running ?? ready ?? finish ?? 0
    }
}

package import ClipModel

/// How clients share the cluster: start-time fair queueing over jobs.
///
/// Every job gets a start tag (`rank`) when it is taken in, and stages are claimed in the order of their jobs' ranks.
/// The tag is the virtual time of that moment or, if that is later, the finish tag of the same client's job before; the
/// finish tag lies the job's cost behind, divided by the client's weight. So a client that asks for much queues behind
/// itself, and one that asks for little comes next, whatever others have waiting.
///
/// A job waits, beyond the work of its own client before it, for at most the sum over the other clients of their
/// largest job and of the spread between the ranks that run at one time. Sources: Goyal, Vin, Cheng: "Start-time Fair
/// Queueing: A Scheduling Algorithm for Integrated Services Packet Switching Networks", 1996, theorem 4; and for many
/// servers, whose virtual time is the lowest tag in service, Jin, Chase, Kaur: "Interposed Proportional Sharing for a
/// Storage Service Utility", 2004 (Min-SFQ(D)). With the highest tag, which has no spread in its bound, a client that
/// asks for little comes after every job that a noisy one has begun.
///
/// Interactive and batch jobs of one client queue apart, and a batch job's rank lies `batchHandicap` later. That is all
/// a priority is: what is overtaken by is bounded, so a batch job ages by standing still while virtual time goes on. It
/// waits for at most `batchHandicap` of each other client's work, by weight, more than an interactive one would.
package enum FairShare {
    /// Seconds of video that come before a batch job though they came later.
    package static let batchHandicap = 3600.0
    /// Weights that may be given to a client. One of weight 2 gets twice the work of one of weight 1 while both wait.
    package static let weights = 0.01...100.0

    /// What a job costs, in seconds of video that are listened to and looked through.
    ///
    /// Factors are CPU seconds as measured (docs/benchmarks.md): a clip (crop, render, check, thumbnail) takes as
    /// much as two minutes of video take to be transcribed and searched for cuts, and three quarters of that is
    /// recognition.
    package static func cost(seconds: Double, of upload: Upload, options: JobOptions) -> Double {
        let looking = seconds * (upload.transcript == nil ? 1 : shareWithoutRecognition)
        return max(secondsMin, looking) + Double(options.clipCount) * secondsPerClip
    }

    /// The same before anybody has looked into the file: its length is guessed from its bytes. Corrected once it is
    /// known.
    package static func estimate(of upload: Upload, options: JobOptions) -> Double {
        cost(seconds: Double(upload.bytes) / bytesPerSecond, of: upload, options: options)
    }

    /// 2 Mbit/s, as talks are commonly encoded.
    package static let bytesPerSecond = 250_000.0
    /// A short file still costs the effort of a job.
    package static let secondsMin = 30.0
    package static let secondsPerClip = 120.0
    package static let shareWithoutRecognition = 0.25

    /// Ranks are given as start tags: those of batch jobs without their handicap, or an interactive job that comes
    /// while a batch job runs would queue behind the next batch job.
    /// - Parameters:
    ///   - running: lowest start tag of a job that is being worked on.
    ///   - ready: that of the job that is claimed next.
    ///   - finish: highest finish tag of any client: where virtual time stands when nothing is left to do.
    package static func virtualTime(running: Double?, ready: Double?, finish: Double?) -> Double {
        running ?? ready ?? finish ?? 0
    }
}

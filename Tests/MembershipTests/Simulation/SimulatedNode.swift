import Membership

/// One machine of the world, with at most one life at a time.
final class SimulatedNode {
    enum State {
        case running
        /// Stopped by SIGSTOP: the kernel goes on accepting bytes, nobody reads them.
        case paused
        /// The process is gone and the kernel answers for it: connections break and are refused.
        case exited
        /// The host is gone: silence.
        case hostLost
    }

    let index: Int
    let id: MemberID
    let metadata: MemberMetadata
    var state = State.exited
    var machine: Membership?
    var life: MemberLife?
    /// What came while it was paused.
    var inbox: [Membership.Event] = []
    /// When the earliest wake-up that is in the heap comes.
    var wakeAt: Int64?
    /// How fast its clock runs, and what it showed when the world began.
    var clockRate = 1.0
    var clockOffset: Int64 = 0
    /// How late its shell is, in microseconds.
    var shellDelay: ClosedRange<Int64> = 0...2000
    var seesDatabase = false
    /// Its word was heard that it leaves, or that it was replaced.
    var hasDeparted = false
    var wasReplaced = false
    /// Counters of lives that are over.
    var earlierCounters: [MembershipCounters] = []
    var lastViewNumber: UInt64 = 0
    var lastViewDigest: UInt64?

    init(index: Int, id: MemberID, metadata: MemberMetadata) {
        self.index = index
        self.id = id
        self.metadata = metadata
    }

    var isUp: Bool { state == .running || state == .paused }

    func localTime(_ world: Int64) -> Duration { .microseconds(clockOffset + Int64(Double(world) * clockRate)) }

    func worldTime(_ local: Duration) -> Int64 {
        let (seconds, attoseconds) = local.components
        let microseconds = seconds * 1_000_000 + attoseconds / 1_000_000_000_000
        return Int64((Double(microseconds - clockOffset) / clockRate).rounded(.up)) + 1
    }
}

/// What the network does to messages. Times in microseconds.
struct NetworkFaults {
    var loss = 0.0
    var duplicates = 0.0
    var delay: ClosedRange<Int64> = 100...1000
    /// Added on the way between zones.
    var distance: Int64 = 0
    /// A connection that gets no answer is given up after this.
    var connectTimeout: Int64 = 1_000_000
    /// A connection that stands is given up after this much silence.
    var silenceTimeout: Int64 = 4_000_000
}

func memberID(_ text: String) -> MemberID { MemberID(text)! }

extension Duration {
    /// For the world's clock.
    var wholeMicroseconds: Int64 { components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000 }
}

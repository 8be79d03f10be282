/// Every interval and limit of membership, with the formula it enters and the accident it prevents.
///
/// `n` is the number of present members, this node included; `h` is the local health score, 0 when all is well
/// (Lifeguard). Start from a preset; docs/membership.md works the numbers out.
package struct MembershipConfiguration: Hashable, Sendable {
    // MARK: Probing (SWIM section 4.1, Lifeguard section IV.A)

    /// A probe begins every `probeInterval * (1 + h)`. A round of `n - 1` probes everybody once, so one prober comes
    /// back to a member after at most `2n - 3` intervals; all `n - 1` together probe it once an interval in the mean,
    /// and leave it alone for `c` intervals with a chance of `e^-c`.
    package var probeInterval: Duration
    /// A direct answer is waited for `probeTimeout * (1 + h)`; then `k = min(indirectProbesMax, n - 2)` others are
    /// asked to try, for as long again: a probe lasts `2 * probeTimeout`. At least the 99th percentile of a round trip,
    /// and above TCP's first retransmission (200 ms).
    package var probeTimeout: Duration
    /// Others asked for one silent member. More would let one lost link load the whole cluster.
    package var indirectProbesMax = 3
    /// `h` stays within `0...localHealthMax`: a node in trouble slows its accusations down `1 + h` times, not forever.
    package var localHealthMax = 8
    /// Relays at work at the same time; further requests get a `nack` at once. Prevents a storm of other members'
    /// questions from taking this node's memory.
    package var relaysMax = 256
    /// The shell came later than this to a wake-up: we were paused. The pause is taken out of every deadline, because
    /// nobody was silent but us. At least the length of a probe, and less than the shortest suspicion.
    package var pauseNoticedAfter: Duration

    // MARK: Suspicion (Lifeguard section IV.B)

    /// `suspicionMin = suspicionMultiplier * max(1, log10 n) * 2 * probeTimeout`: what it takes for the rumour to reach
    /// the suspect and for the refutation to come back.
    package var suspicionMultiplier: Int
    /// `suspicionMax = suspicionFactorMax * suspicionMin`: how long one accuser alone is distrusted.
    package var suspicionFactorMax: Int
    /// `K = min(suspicionConfirmations, n - 2)` further accusers bring the wait from the maximum down to the minimum:
    /// `max - (max - min) * log(C + 1) / log(K + 1)` after `C` of them.
    package var suspicionConfirmations = 2
    /// An unreachable member is dead when it was silent, and its lease was not renewed, for this long. Above three
    /// times the longest pause to be forgiven (8 s).
    package var silenceBeforeDeath: Duration
    /// A refused connection is tried again after this; `refusalsBeforeDeath` of them convince a node that no other
    /// witness contradicts, two witnesses convince everybody at once.
    package var refusedAgainAfter: Duration
    package var refusalsBeforeDeath = 3

    // MARK: Gossip (SWIM section 4.1)

    /// Rumours leave every `gossipInterval`, and at once when none left during the last one.
    package var gossipInterval: Duration
    /// Members told each time.
    package var gossipFanout = 3
    /// A rumour is sent `retransmitMultiplier * ceil(log10(n + 1))` times by each node that heard it.
    package var retransmitMultiplier = 4
    /// Bytes of rumours in one message. A heartbeat must not grow behind a storm of rumours.
    package var gossipBytesMax = 4096
    /// Rumours waiting; beyond it those that were sent most often go. A sync brings what was lost.
    package var rumoursMax = 4096

    // MARK: Sync, join and healing

    /// A random member is asked for all it knows every `syncInterval * s(n)`, `s(n) = 1 + max(0, ceil(log2(n / 32)))`:
    /// repairs what gossip lost. The answer is one small message when both know the same.
    package var syncInterval: Duration
    /// Bytes of rumours in one part of a sync; a frame holds 1 MiB.
    package var syncBytesMax = 262_144
    /// Syncs of ours whose answers are awaited. A node that comes up asks all its seeds at once; answers that never
    /// come must not pile up.
    package var syncSessionsMax = 8
    /// The first and the longest wait between attempts to join, with decorrelated jitter: a cluster that starts does
    /// not knock in step.
    package var joinBackoff: ClosedRange<Duration>
    /// Every `healInterval * s(n)` one seed that is no member, or one dead member, is called: halves of a healed
    /// partition that have buried each other find each other again.
    package var healInterval: Duration
    /// Seeds remembered; the rest of a longer list is not used.
    package var seedsMax = 64

    // MARK: Views

    /// A change waits this long for others, each one anew: losing a rack changes placement once.
    package var settling: Duration
    /// But never longer than this; also the longest that a change waits for suspicions that are still open.
    package var settlingMax: Duration
    /// A node with seeds that found nobody starts a cluster of its own after this.
    package var firstViewWait: Duration

    // MARK: Memory

    /// Present members. A rumour of one more is refused and counted: a runaway autoscaler or a wrong cluster's seeds
    /// cannot take the memory. One takes about 0.5 KiB.
    package var membersMax = 2048
    /// Dead and departed members remembered, newest first.
    package var deadMembersMax = 512
    /// And for how long. Above the longest partition that shall heal by itself without a seed.
    package var deadMemory: Duration = .seconds(3600)
    /// Unknown senders remembered, so that each is asked who it is once a second at most.
    package var strangersMax = 64
    /// Rumours in one message that are looked at; a message with more is dropped whole.
    package var rumoursPerMessageMax = 8192
    /// A leaving node stays for this to see its word spread: `5 * gossipInterval`.
    package var leaveLinger: Duration
    /// A leaving node tells this many members itself.
    package var leaveToldMax = 32
}

extension MembershipConfiguration {
    /// One data centre, or two that are near (round trips up to 20 ms). Silence is seen within 6 s, death by refusal
    /// within 1 s, up to some 30 members.
    package static let lan = MembershipConfiguration(
        probeInterval: .milliseconds(250),  // four probes a second: silent for 1.5 s unnoticed with a chance of e^-6
        probeTimeout: .milliseconds(250),  // a probe lasts 0.5 s
        pauseNoticedAfter: .seconds(1),
        suspicionMultiplier: 4,  // 2 s up to 10 members, 3 s for 30, 6 s for 1000
        suspicionFactorMax: 2,
        silenceBeforeDeath: .seconds(30),  // > 3 * 8 s
        refusedAgainAfter: .milliseconds(250),  // 3 refusals in 0.5 s
        gossipInterval: .milliseconds(100),  // 1000 members know in 15 of them
        syncInterval: .seconds(10),
        joinBackoff: .milliseconds(200) ... .seconds(5),
        healInterval: .seconds(5),
        settling: .milliseconds(200),  // 2 * gossipInterval
        settlingMax: .milliseconds(1500),
        firstViewWait: .seconds(2),
        leaveLinger: .milliseconds(500)
    )

    /// Several nodes on one machine, which compete for its processors but lose nothing: as `.lan`, faster gossip.
    package static let local: MembershipConfiguration = {
        var local = lan
        local.gossipInterval = .milliseconds(50)
        local.syncInterval = .seconds(5)
        local.healInterval = .seconds(2)
        local.settling = .milliseconds(100)
        local.firstViewWait = .seconds(1)
        local.leaveLinger = .milliseconds(250)
        return local
    }()

    /// Regions far apart (round trips up to 300 ms, losses): silence is seen within 25 s.
    package static let wan = MembershipConfiguration(
        probeInterval: .seconds(1),
        probeTimeout: .seconds(1),
        pauseNoticedAfter: .seconds(4),
        suspicionMultiplier: 4,  // 8 s up to 10 members
        suspicionFactorMax: 2,
        silenceBeforeDeath: .seconds(60),
        refusedAgainAfter: .milliseconds(700),  // two round trips
        gossipInterval: .milliseconds(300),
        syncInterval: .seconds(30),
        joinBackoff: .milliseconds(500) ... .seconds(15),
        healInterval: .seconds(10),
        settling: .milliseconds(600),
        settlingMax: .seconds(4),
        firstViewWait: .seconds(5),
        leaveLinger: .milliseconds(1500)
    )

    /// `.lan` five times as fast, for tests that run in real time.
    package static let test: MembershipConfiguration = {
        var test = lan
        test.probeInterval /= 5
        test.probeTimeout /= 5
        test.pauseNoticedAfter /= 5
        test.silenceBeforeDeath /= 5
        test.refusedAgainAfter /= 5
        test.gossipInterval /= 5
        test.syncInterval /= 5
        test.joinBackoff = .milliseconds(40) ... .seconds(1)
        test.healInterval /= 5
        test.settling /= 5
        test.settlingMax /= 5
        test.firstViewWait /= 5
        test.leaveLinger /= 5
        return test
    }()
}

// MARK: - Formulas

extension MembershipConfiguration {
    /// How many others are asked about a silent member in a cluster of `members`: `min(indirectProbesMax, n - 2)`.
    package func indirectProbes(members: Int) -> Int { max(0, min(indirectProbesMax, members - 2)) }

    /// How often each node sends one rumour: `retransmitMultiplier * ceil(log10(n + 1))`.
    package func transmissionsMax(members: Int) -> Int {
        // The smallest e with 10^e >= n + 1, in whole numbers.
        var exponent = 1, power = 10
        while power < members + 1 {
            power *= 10
            exponent += 1
        }
        return retransmitMultiplier * exponent
    }

    /// `s(n)`: work that every node does on its own becomes rarer as they become many (memberlist's push/pull scale).
    package func scale(members: Int) -> Int {
        var scale = 1, covered = 32
        while covered < members {
            covered *= 2
            scale += 1
        }
        return scale
    }

    package func suspicion(members: Int) -> Suspicion {
        let nodes = Double(max(1, members))
        let milliseconds =
            2 * probeTimeout.inMilliseconds * Double(suspicionMultiplier) * max(1, logarithm(nodes, base: 10))
        let shortest = Duration.milliseconds(Int64(milliseconds))
        return Suspicion(
            shortest: shortest, longest: shortest * suspicionFactorMax,
            confirmationsMax: max(0, min(suspicionConfirmations, members - 2)))
    }
}

/// How long a suspicion lasts, by how many accuse (Lifeguard, section IV.B).
package struct Suspicion: Hashable, Sendable {
    package let shortest: Duration
    package let longest: Duration
    /// K: accusers beyond the first that still shorten the wait.
    package let confirmationsMax: Int

    /// `confirmations` counts accusers beyond the first.
    package func length(confirmations: Int) -> Duration {
        guard confirmationsMax > 0, confirmations < confirmationsMax else { return shortest }
        let share = logarithm(Double(confirmations + 1), base: 2) / logarithm(Double(confirmationsMax + 1), base: 2)
        let milliseconds = longest.inMilliseconds - (longest - shortest).inMilliseconds * share
        return max(shortest, .milliseconds(Int64(milliseconds)))
    }
}

extension Duration {
    var inMilliseconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) * 1000 + Double(attoseconds) / 1e15
    }
}

/// The standard library has no logarithm and this module imports nothing: `log2 x = exponent + log2 significand`, the
/// latter by `ln m = 2 artanh((m - 1) / (m + 1))`, whose series gains a decimal digit a term for `m` in `1..<2`.
func logarithm(_ number: Double, base: Double) -> Double {
    func natural(_ number: Double) -> Double {
        let ratio = (number.significand - 1) / (number.significand + 1)
        var power = ratio, sum = 0.0
        for odd in stride(from: 1.0, to: 40, by: 2) {
            sum += power / odd
            power *= ratio * ratio
        }
        return Double(number.exponent) * 0.693_147_180_559_945_3 + 2 * sum
    }
    precondition(number > 0 && base > 1, "no logarithm of \(number) to base \(base)")
    return natural(number) / natural(base)
}

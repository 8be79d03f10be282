import ActorCluster
import Distributed
import Membership
import Placement
import Synchronization

/// Tells other nodes by which placement this one finds owners, and asks them for theirs: two nodes that disagree for
/// long send the same key to two owners, and an operator has to hear of it.
distributed actor PlacementWitness {
    typealias ActorSystem = ClusterActorSystem

    /// What the others said last. A digest is told when it was different twice in a row: a change of view takes a
    /// moment to reach everybody, and that is no disagreement.
    final class Heard: Sendable {
        private struct Opinion {
            var digest: UInt64
            var ours: UInt64
            var differedBefore: Bool
            var differs: Bool { digest != ours }
        }

        private let opinions = Mutex<[MemberLife: Opinion]>([:])

        /// Nil when it was not asked since our digest became `ours`, or may only be late.
        func digest(of life: MemberLife, while ours: UInt64) -> UInt64? {
            guard let opinion = opinions.withLock({ $0[life] }), opinion.ours == ours else { return nil }
            return opinion.differs && !opinion.differedBefore ? nil : opinion.digest
        }

        fileprivate func note(_ digest: UInt64, of life: MemberLife, while ours: UInt64) {
            opinions.withLock { opinions in
                let before = opinions[life].map { $0.ours == ours && $0.differs } ?? false
                opinions[life] = Opinion(digest: digest, ours: ours, differedBefore: before)
            }
        }

        fileprivate func keep(only lives: Set<MemberLife>) {
            opinions.withLock { opinions in opinions = opinions.filter { lives.contains($0.key) } }
        }
    }

    private static let name = "placement"
    private static let interval = Duration.seconds(2)

    /// What other nodes may call, by mangled name.
    static var callTargetGroup: CallTargets.Group {
        CallTargets.Group(PlacementWitness.self, ["$s4Node16PlacementWitnessC6digests6UInt64VyYaKFTE"])
    }

    private let heard: Heard
    private let clock: any Clock<Duration>

    private init(actorSystem: ClusterActorSystem, _ heard: Heard, _ clock: any Clock<Duration>) {
        self.actorSystem = actorSystem
        self.heard = heard
        self.clock = clock
    }

    /// - Parameter heard: where the answers are kept.
    static func host(
        on system: ClusterActorSystem, heard: Heard, clock: any Clock<Duration>
    ) throws -> PlacementWitness {
        try system.host(name) { PlacementWitness(actorSystem: system, heard, clock) }
    }

    /// Zero before the first view.
    distributed func digest() -> UInt64 { ownDigest ?? 0 }

    private var ownDigest: UInt64? {
        actorSystem.view.map { Placement($0, policy: actorSystem.configuration.placement).digest }
    }

    /// Asks everybody every two seconds. Ends by cancellation only, which it throws.
    nonisolated func run() async throws {
        try await whenLocal { witness in
            while true {
                await witness.ask()
                try await witness.clock.sleep(for: Self.interval)
            }
        }
    }

    private func ask() async {
        guard let view = actorSystem.view else { return }
        let others = view.members.map(\.life).filter { $0 != actorSystem.life }
        heard.keep(only: Set(others))
        await withDiscardingTaskGroup { group in
            for life in others {
                // One that does not answer is judged by its membership.
                group.addTask { [actorSystem] in
                    let digest = try? await actorSystem.withTimeLimit(.seconds(1)) {
                        try await actorSystem.named(PlacementWitness.self, Self.name, on: life).digest()
                    }
                    if let digest { await self.note(digest, of: life) }
                }
            }
        }
    }

    private func note(_ digest: UInt64, of life: MemberLife) {
        // Either of us without a view knows nothing yet.
        guard digest != 0, let ownDigest else { return }
        heard.note(digest, of: life, while: ownDigest)
    }
}

import ActorCluster
import Logging
import Membership
import Placement
import Synchronization

extension Limiter {
    /// Saves what would outlive a restart now, all of it. For a node that is about to stop.
    package func saveEverything() async throws {
        while case let saved = try await save(), saved > 0 {}
    }

    /// Saves up to `snapshotRowsMax` debts. A failure is no alarm: the next time saves them, and a crash before that
    /// forgets them.
    func saveSnapshot() async {
        do { _ = try await save() } catch {
            extra.withLock { $0.snapshotsFailed += 1 }
            log.warning("limiter snapshot not saved; a restart would forget debts", metadata: ["error": "\(error)"])
        }
    }

    private func save() async throws -> Int {
        var saved = 0
        for part in parts {
            var place: Int? = 0
            while let from = place, saved < configuration.snapshotRowsMax {
                let room = min(configuration.snapshotRowsMax - saved, LimiterSnapshots.pageRowsMax)
                let unsaved = part.shard.withLock { $0.unsaved(from: from, upTo: room, at: now()) }
                place = unsaved.next
                guard !unsaved.debts.isEmpty else { continue }
                do { try await snapshots.save(system.life.id, unsaved.debts) } catch {
                    part.shard.withLock { $0.notSaved(unsaved.keys) }
                    throw error
                }
                saved += unsaved.debts.count
            }
        }
        extra.withLock { $0.debtsSaved += saved }
        return saved
    }

    func tidySnapshots() async {
        do { try await snapshots.tidy() } catch {
            log.debug("limiter snapshots not tidied", metadata: ["error": "\(error)"])
        }
    }

    // MARK: Reading

    /// Reads what members left who cannot tell themselves: this node's former life, and the dead.
    func readSnapshots() async {
        for await _ in snapshotsToLoad.rings {
            while let holder = moves.withLock({ $0.unread.first }) {
                await tryHard("read of \(holder)") { try await self.read(holder) }
                moves.withLock { $0.unread.removeAll { $0 == holder } }
                // Of what this node held, some is another's now.
                if holder == system.life.id { handoversToMake.ring() }
            }
        }
    }

    /// Once in a life, when the view has had time to settle: holders that are no members. They died while this node was
    /// not there to see it, perhaps all of the cluster at once.
    func readOrphans() async {
        for await _ in orphansToLoad.rings {
            guard (try? await clock.sleep(for: configuration.inheritancePeriod)) != nil else { return }
            await tryHard("list of holders") {
                let present = self.lanes.withLock { Set($0.lives.keys) }
                let orphaned = try await self.snapshots.holders().filter { !present.contains($0) }
                self.moves.withLock { moves in moves.unread += orphaned.filter { !moves.unread.contains($0) } }
            }
            snapshotsToLoad.ring()
        }
    }

    /// Again and again, until nobody would wait for the outcome any more.
    private func tryHard(_ what: String, _ work: () async throws -> Void) async {
        var waited = Duration.zero
        while waited < configuration.inheritancePeriod {
            do { return try await work() } catch {
                extra.withLock { $0.snapshotsFailed += 1 }
                log.warning(
                    "limiter snapshot not read; what it owed may be forgotten",
                    metadata: ["step": "\(what)", "error": "\(error)"])
            }
            guard (try? await clock.sleep(for: configuration.handoverPause)) != nil else { return }
            waited += configuration.handoverPause
        }
    }

    private func read(_ holder: MemberID) async throws {
        // Under the placement of now: should it change meanwhile, the later change asks for its own.
        guard let digest = moves.withLock({ $0.placement?.digest }) else { return }
        var cursor: LimiterSnapshots.Cursor?
        repeat {
            let page = try await snapshots.load(holder, cursor)
            for debt in page { inherit(debt, from: holder) }
            cursor =
                page.count < LimiterSnapshots.pageRowsMax
                ? nil
                : page.last.map {
                    LimiterSnapshots.Cursor(policy: $0.policy, subject: $0.subject)
                }
        } while cursor != nil
        completed(holder, for: digest)
    }

    private func inherit(_ debt: LimiterDebt, from holder: MemberID) {
        guard let number = policies.number(of: debt.policy),
            let key = LimitKey(policy: number, subject: debt.subject)
        else { return }
        let told = Handover.Bucket(policy: debt.policy, subject: debt.subject, debt: debt.debt)
        let isTaken = part(of: key).shard.withLock { $0.inherit(key, told, from: holder, at: now()) }
        if isTaken { extra.withLock { $0.debtsLoaded += 1 } }
    }
}

import ActorCluster
import Distributed
import Logging
import Membership

/// What a node does by itself, every interval.
extension MetricsAggregator {
    /// Reports, and compares notes with other keepers. Returns when the time limits of its calls are over at the
    /// latest.
    func round() async {
        guard let keepers else { return }
        updateMembers(keepers)
        await report(to: keepers.of(history.region).map(\.life))
        for region in ledgers.keys.sorted() { await compareNotes(on: region) }
    }

    private func updateMembers(_ keepers: Keepers) {
        let present = keepers.lives
        for region in ledgers.keys {
            let isOwner = keepers.of(region).first?.life == history.life
            withLedger(of: region) { $0.membersAre(present, isOwner: isOwner, at: now()) }
        }
    }

    // MARK: Reports

    /// What became of a report to one keeper. A tuple here, as the result of a child task, crashed the optimised
    /// program (Swift 6.3.1 on Linux copied a member through a null pointer).
    private struct Reported: Sendable {
        let life: MemberLife
        let result: Result<ReportOutcome, any Error>
    }

    private func report(to keepers: [MemberLife]) async {
        let report = history.nextReport(registry.snapshot().withoutHelp)
        if keepers.contains(history.life) { history.received(take(report)) }
        let peers = keepers.filter { $0 != history.life }
        let limit = configuration.callTimeLimit
        let outcomes = await withTaskGroup(of: Reported.self) { group in
            for life in peers {
                guard let peer = try? peer(life) else { continue }
                group.addTask {
                    do {
                        return Reported(life: life, result: .success(try await peer.send(report, limit)))
                    } catch {
                        return Reported(life: life, result: .failure(error))
                    }
                }
            }
            var outcomes: [Reported] = []
            for await outcome in group { outcomes.append(outcome) }
            return outcomes.sorted { $0.life < $1.life }
        }
        for outcome in outcomes {
            let life = outcome.life
            switch outcome.result {
            case .success(let outcome):
                count("report", outcome.label)
                history.received(outcome)
            case .failure(let error):
                count("report", "failed")
                log.debug("metrics not reported", metadata: ["keeper": "\(life)", "error": "\(error)"])
            }
        }
    }

    // MARK: Ledgers

    /// Whoever holds a ledger compares it with the region's owner, so that the owner and its stand-in know the same,
    /// and a new owner is told what there was. Who holds one without being a keeper lets it go when there is nothing
    /// left to tell.
    private func compareNotes(on region: String) async {
        guard let owner = keepers?.of(region).first?.life, owner != history.life, let peer = try? peer(owner) else {
            return
        }
        var (wanted, wantsRetired) = ([MemberID](), false)
        var recordsMax = configuration.recordsPerShareMax
        for _ in 0..<configuration.sharesPerRoundMax {
            guard let ledger = ledgers[region] else { return }
            let share = ledger.share(wanted, retired: wantsRetired, recordsMax: recordsMax, at: now())
            do {
                let limit = configuration.callTimeLimit
                let outcome = try await actorSystem.withTimeLimit(limit) { try await peer.exchange(share) }
                guard case .answered(let answer) = outcome else { return count("exchange", "not_keeper") }
                count("exchange", "ok")
                withLedger(of: region) { $0.received(answer, at: now()) }
                if answer.isNothing {
                    // Asked after the wait: it may have become one meanwhile.
                    if !isKeeper(of: region) { ledgers[region] = nil }
                    return
                }
                // Told and still wanted: it does not get through.
                if !wanted.isEmpty, answer.wanted == wanted { return }
                (wanted, wantsRetired) = (answer.wanted, answer.wantsRetired)
            } catch {
                count("exchange", "failed")
                log.debug(
                    "metrics not compared", metadata: ["region": "\(region)", "owner": "\(owner)", "error": "\(error)"])
                // The answer, or what was asked for, may have been larger than a frame.
                guard recordsMax > 1, let error = error as? ClusterCallError,
                    error.code == .tooLarge || error.code == .remoteError
                else { return }
                recordsMax = 1
            }
        }
    }
}

extension MetricsAggregator {
    /// Calls from outside of the actor: on one of another node they travel.
    nonisolated fileprivate func send(_ report: NodeReport, _ limit: Duration) async throws -> ReportOutcome {
        try await actorSystem.withTimeLimit(limit) {
            do {
                return try await take(report)
            } catch let error as ClusterCallError where error.code == .tooLarge && report.ended != nil {
                // Without history: the keeper has it, or will have it from the other one.
                return try await take(report.withoutEnded)
            }
        }
    }

    nonisolated func ask(_ request: FiguresRequest, _ limit: Duration) async throws -> FiguresOutcome {
        try await actorSystem.withTimeLimit(limit) { try await answer(request) }
    }
}

extension ReportOutcome {
    fileprivate var label: String {
        switch self {
        case .taken: "ok"
        case .notKeeper: "not_keeper"
        case .outdated: "outdated"
        case .retired: "retired"
        case .full: "full"
        case .refused: "refused"
        }
    }
}

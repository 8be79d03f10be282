import ActorCluster
import Distributed
import Logging
import Membership

/// Answers for whoever wants to know how the cluster is.
extension MetricsAggregator {
    /// What came of one question to one keeper.
    private struct Answer: Sendable {
        let region: String
        let keeper: MemberLife
        let figures: RegionFigures?
    }

    /// Asks the keepers of every region, all at once, for one time limit at most; what could not be asked for is as it
    /// was known before, with its age.
    func collect() async -> ClusterFigures {
        if let keepers, book.isDue(at: now()), collections < configuration.collectionsMax {
            collections += 1
            await ask(keepers)
            collections -= 1
        }
        let texts = Dictionary(registry.snapshot().metrics.map { ($0.name, $0.help) }) { first, _ in first }
        return book.figures(asked: history.life, members: actorSystem.members.present, texts: texts, at: now())
    }

    private func ask(_ keepers: Keepers) async {
        let regions = book.regions(keepers.regions)
        let limit = configuration.askTimeLimit
        let questions = regions.flatMap { region in
            book.toAsk(believed(keepers.of(region)), at: now()).compactMap {
                life -> (String, MemberLife, MetricsAggregator)? in
                guard life != history.life, let peer = try? peer(life) else { return nil }
                return (region, life, peer)
            }
        }
        let answers = await withTaskGroup(of: Answer.self) { group in
            for (region, life, peer) in questions {
                group.addTask {
                    let outcome = try? await peer.ask(FiguresRequest(region: region), limit)
                    guard case .figures(let figures)? = outcome else {
                        return Answer(region: region, keeper: life, figures: nil)
                    }
                    return Answer(region: region, keeper: life, figures: figures)
                }
            }
            var answers: [Answer] = []
            for await answer in group { answers.append(answer) }
            return answers.sorted { ($0.region, $0.keeper) < ($1.region, $1.keeper) }
        }
        for region in regions { note(answers.filter { $0.region == region }, on: region) }
        book.collected(at: now())
    }

    /// Members as they are believed to be right now, which may be ahead of the view.
    private func believed(_ keepers: [Member]) -> [Member] {
        let members = actorSystem.members
        return keepers.map { keeper in members.first { $0.life == keeper.life } ?? keeper }
    }

    private func note(_ answers: [Answer], on region: String) {
        for answer in answers where answer.figures == nil { book.failed(answer.keeper, at: now()) }
        for answer in answers { count("figures", answer.figures == nil ? "failed" : "ok") }
        var figures = answers.compactMap(\.figures)
        // What this node itself has heard, if it is a keeper.
        if isKeeper(of: region), let own = ownFigures(of: region) { figures.append(own) }
        if figures.isEmpty {
            log.debug("figures of a region not answered", metadata: ["region": "\(region)"])
            book.missed(region)
        } else {
            book.received(figures, at: now())
        }
    }
}

extension [Member] {
    fileprivate var present: [Member] { filter(\.status.isPresent) }
}

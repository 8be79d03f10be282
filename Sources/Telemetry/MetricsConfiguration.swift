/// How metrics travel between nodes, and what that may cost. Every limit says which accident it prevents.
package struct MetricsConfiguration: Hashable, Sendable {
    /// Between two reports of a node; 10 s. What a node has counted since its last report dies with it, and figures of
    /// the cluster are this old.
    package var interval = Duration.seconds(10)
    /// For one call with a report or with a part of a ledger; 1 s. A keeper that does not answer must not hold up the
    /// next round.
    package var callTimeLimit = Duration.seconds(1)

    // MARK: Asking

    /// For the questions for all regions' figures, which go out together; 200 ms. Nobody who asks for the figures of
    /// the cluster waits longer, whatever the network does.
    package var askTimeLimit = Duration.milliseconds(200)
    /// Figures as young as this are not asked for again; 1 s. Prevents a dashboard from becoming a load.
    package var freshFor = Duration.seconds(1)
    /// How many questions for the figures of the cluster may be under way; 4. Others get what is known.
    package var collectionsMax = 4
    /// A keeper that did not answer is left out for this long, while there is another one; 5 s. Prevents every question
    /// from waiting for a node that is gone.
    package var pause = Duration.seconds(5)
    /// How long figures that know less than those known before are passed over; 30 s. A keeper that has just become one
    /// has not heard everything yet, and counters must not fall because of it. Afterwards they count: the history is
    /// lost.
    package var patience = Duration.seconds(30)

    // MARK: Keeping

    /// A node that was not heard for this long is quiet: 25 s, which two lost reports are not.
    package var quietAfter = Duration.seconds(25)
    /// Gauges older than this are not added to those of others; 60 s. A node that is cut off would show for ever what
    /// was true when it was heard.
    package var gaugeAgeMax = Duration.seconds(60)
    /// Nodes whose reports are kept for one region; 512, some 20 kB each.
    package var nodesMax = 512
    /// Nodes that are gone and are kept one by one; 64. Of more, the longest gone become one sum: nodes whose names are
    /// made up at each start would fill the memory.
    package var endedNodesMax = 64
    /// Regions that one node keeps, or remembers the figures of; 64. Names of regions come from configurations, and one
    /// mistyped name must cost no more than a place.
    package var regionsMax = 64
    /// Records of a ledger in one call; 4, usually 80 kB. When they do not fit into a frame, they go one by one.
    package var recordsPerShareMax = 4
    /// Calls in a row for handing one ledger over; 300. What is left over waits for the next round.
    package var sharesPerRoundMax = 300

    package init() {}

    /// Nodes in one or several rooms.
    package static let lan = MetricsConfiguration()

    /// Nodes some 100 ms apart: more patience.
    package static var wan: MetricsConfiguration {
        var configuration = MetricsConfiguration()
        configuration.callTimeLimit = .seconds(3)
        configuration.askTimeLimit = .milliseconds(800)
        return configuration
    }

    /// Fails on values that contradict each other.
    func validate() {
        precondition(interval > .zero, "an interval of \(interval)")
        precondition(callTimeLimit > .zero && askTimeLimit > .zero, "calls of \(callTimeLimit) and \(askTimeLimit)")
        precondition(quietAfter > interval, "nodes that report every \(interval) are quiet after \(quietAfter)")
        precondition(gaugeAgeMax >= quietAfter, "gauges of \(gaugeAgeMax) of nodes that are quiet after \(quietAfter)")
        precondition(nodesMax > endedNodesMax && endedNodesMax > 0, "\(endedNodesMax) of \(nodesMax) nodes are gone")
        precondition(recordsPerShareMax > 0 && sharesPerRoundMax > 0, "ledgers are never handed over")
        precondition(collectionsMax > 0 && regionsMax > 0, "nothing is ever asked for")
    }
}

import Membership
import Telemetry
import Testing

@Suite struct FigureBookTests {
    static func figures(_ region: String, _ total: UInt64, reports: UInt64, nodes: [MemberLife] = []) -> RegionFigures {
        var ledger = RegionLedger(region: region, limits: LedgerTests.limits, at: .zero)
        for (place, node) in nodes.enumerated() {
            let own = place == 0 ? counted(total) : counted(0)
            let sequence = place == 0 ? reports : 1
            _ = ledger.received(NodeReport(region: region, life: node, sequence: sequence, own: own), at: .zero)
        }
        return ledger.figures(keeper: life("keeper", 1), at: .zero)
    }

    static func member(_ name: String, _ region: String = "one", _ status: MemberStatus = .alive) -> Member {
        let metadata = MemberMetadata(region: region, zone: "z", peerAddress: PeerAddress(host: name, port: 1))
        return Member(life: life(name, 1), status: status, metadata: metadata)
    }

    @Test func `figures of regions add up, each with its age`() {
        var book = FigureBook(limits: LedgerTests.limits)
        book.received([Self.figures("one", 5, reports: 3, nodes: [life("a", 1)])], at: .zero)
        book.received([Self.figures("two", 7, reports: 3, nodes: [life("b", 1)])], at: .seconds(2))
        let members = [Self.member("a"), Self.member("b", "two"), Self.member("c", "three")]
        let report = book.figures(
            asked: life("a", 1), members: members, texts: ["things_done_total": "Things."], at: .seconds(3))
        let series = report["things_done_total"]?[[:]]
        #expect(series?.cluster.counter == 12)
        #expect(series?.regions.mapValues(\.counter) == ["one": 5, "two": 7])
        #expect(report["things_done_total"]?.help == "Things.")
        #expect(report.regions.map(\.region) == ["one", "three", "two"])
        #expect(report.regions.map(\.ageSeconds) == [3, nil, 1])
        #expect(report.regions.map(\.isFresh) == [true, false, true])
        // 2.5 s without a report.
        #expect(report.unheardNodes == ["a", "c"])
    }

    @Test func `a keeper that knows less is passed over, for a while`() {
        var limits = LedgerTests.limits
        limits.patience = .seconds(30)
        var book = FigureBook(limits: limits)
        book.received([Self.figures("one", 50, reports: 30, nodes: [life("a", 1)])], at: .zero)
        book.received([Self.figures("one", 5, reports: 3, nodes: [life("a", 1)])], at: .seconds(10))
        #expect(book.figures(of: "one")?.totals.total() == 50)
        let report = book.figures(asked: life("a", 1), members: [], texts: [:], at: .seconds(10))
        #expect(report.regions.first?.isFresh == false && report.regions.first?.ageSeconds == 10)
        book.received([Self.figures("one", 51, reports: 31, nodes: [life("a", 1)])], at: .seconds(11))
        #expect(book.figures(of: "one")?.totals.total() == 51)
        // The history is lost: this is what there is.
        book.received([Self.figures("one", 6, reports: 4, nodes: [life("a", 1)])], at: .seconds(41))
        #expect(book.figures(of: "one")?.totals.total() == 6)
    }

    @Test func `of two keepers the one counts that knows more`() {
        var book = FigureBook(limits: LedgerTests.limits)
        let (more, less) = (
            Self.figures("one", 50, reports: 30, nodes: [life("a", 1)]),
            Self.figures("one", 5, reports: 3, nodes: [life("a", 1)])
        )
        book.received([less, more], at: .zero)
        #expect(book.figures(of: "one") == more)
    }

    @Test func `of two keepers each may have heard what the other has not`() {
        func figures(_ a: UInt64, _ b: UInt64, reports: UInt64) -> RegionFigures {
            var ledger = RegionLedger(region: "one", limits: LedgerTests.limits, at: .zero)
            let own = merged([counted(a, labels: ["a"]), counted(b, labels: ["b"])])
            _ = ledger.received(NodeReport(region: "one", life: life("a", 1), sequence: reports, own: own), at: .zero)
            return ledger.figures(keeper: life("keeper", reports), at: .zero)
        }
        var book = FigureBook(limits: LedgerTests.limits)
        book.received([figures(10, 5, reports: 8), figures(9, 6, reports: 7)], at: .zero)
        #expect(book.figures(of: "one")?.totals.total() == 16)
        // The next answer is of the other one alone.
        book.received([figures(9, 7, reports: 8)], at: .seconds(1))
        #expect(book.figures(of: "one")?.totals.total() == 17)
    }

    @Test func `series that were folded are not compared`() {
        func folded(_ names: [String]) -> MetricSnapshot {
            MetricSnapshot([
                Metric(
                    "things_done_total", .counter, labelNames: ["label_0"], seriesMax: 1,
                    series: names.map { Metric.Series([$0], .counter(10)) })
            ])
        }
        var one = folded(["a", "b"])
        one.raise(to: counted(10, labels: ["b"]))
        #expect(one.total() == 20)
    }

    @Test func `doubted keepers, and those that did not answer, are left out while there is another one`() {
        var book = FigureBook(limits: LedgerTests.limits)
        let (a, b) = (Self.member("a"), Self.member("b"))
        let suspect = Self.member("a", "one", .suspect)
        #expect(book.toAsk([a, b], at: .zero) == [a.life, b.life])
        #expect(book.toAsk([suspect, b], at: .zero) == [b.life])
        #expect(book.toAsk([suspect], at: .zero) == [a.life])
        book.failed(a.life, at: .seconds(1))
        #expect(book.toAsk([a, b], at: .seconds(2)) == [b.life])
        book.failed(b.life, at: .seconds(2))
        #expect(book.toAsk([a, b], at: .seconds(2)) == [a.life, b.life])
        #expect(book.toAsk([a, b], at: .seconds(6)) == [a.life])
        book.received([Self.figures("one", 1, reports: 1)], at: .seconds(6))
        #expect(book.toAsk([a, b], at: .seconds(7)) == [a.life, b.life])
    }

    @Test func `what was asked for a moment ago is not asked for again`() {
        var book = FigureBook(limits: LedgerTests.limits)
        #expect(book.isDue(at: .zero))
        book.collected(at: .zero)
        #expect(!book.isDue(at: .milliseconds(999)))
        #expect(book.isDue(at: .seconds(1)))
    }

    @Test func `a region that is gone is remembered, up to a limit`() {
        var limits = LedgerTests.limits
        limits.regionsMax = 2
        var book = FigureBook(limits: limits)
        for region in ["one", "two", "three"] {
            book.received([Self.figures(region, 5, reports: 1, nodes: [life("a", 1)])], at: .zero)
        }
        #expect(book.regions(["four"]) == ["four", "one", "two"])
        #expect(book.figures(of: "three") == nil)
    }
}

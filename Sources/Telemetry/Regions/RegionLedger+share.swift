package import Membership

// Two keepers bring each other up to date: the one that asks sends stamps of what it knows, and gets what it lacks and
// a list of what it is asked for, which goes along with the next call, until neither has anything to say.

extension RegionLedger {
    /// What a keeper sends to another.
    ///
    /// - Parameter wanted: of these nodes the other wants to know everything.
    package func share(
        _ wanted: [MemberID] = [], retired isRetiredWanted: Bool = false, recordsMax: Int, at now: Duration
    ) -> LedgerShare {
        LedgerShare(
            region: region, stamps: stamps(at: now), retiredDigest: retired?.digest ?? 0,
            memoryMilliseconds: (now - since).wholeMilliseconds, records: shared(wanted.prefix(recordsMax), at: now),
            retired: isRetiredWanted ? retired : nil, recordsMax: recordsMax)
    }

    /// Another keeper told what it knows.
    package mutating func received(_ share: LedgerShare, at now: Duration) -> LedgerAnswer {
        if let theirs = share.retired { absorb(retired: theirs) }
        for record in share.records { absorb(record, at: now) }
        absorb(memoryMilliseconds: share.memoryMilliseconds, at: now)
        let theirs = Dictionary(share.stamps.map { ($0.life.id, $0) }) { first, _ in first }
        let ours = Dictionary(stamps(at: now).map { ($0.life.id, $0) }) { first, _ in first }
        let lacking = ours.values.filter { RecordStamp.lacks(theirs[$0.life.id], $0) }.map(\.life.id).sorted()
        let wanted = theirs.values.filter {
            retired?.contains($0.life) != true && RecordStamp.lacks(ours[$0.life.id], $0)
        }
        let differ = share.retiredDigest != retired?.digest ?? 0
        return LedgerAnswer(
            records: shared(lacking.prefix(max(1, min(share.recordsMax, limits.recordsPerShareMax))), at: now),
            retired: differ ? retired : nil, wanted: wanted.map(\.life.id).sorted(),
            wantsRetired: differ && share.retired == nil && share.retiredDigest != 0,
            memoryMilliseconds: (now - since).wholeMilliseconds)
    }

    /// The other keeper answered.
    package mutating func received(_ answer: LedgerAnswer, at now: Duration) {
        if let theirs = answer.retired { absorb(retired: theirs) }
        for record in answer.records { absorb(record, at: now) }
        absorb(memoryMilliseconds: answer.memoryMilliseconds, at: now)
    }

    private func stamps(at now: Duration) -> [RecordStamp] {
        records.values.map { record in
            RecordStamp(
                life: record.report.life, sequence: record.report.sequence, endedDigest: record.ended.digest,
                isQuiet: now - record.heardAt > limits.quietAfter)
        }.sorted { $0.life < $1.life }
    }

    private func shared(_ ids: ArraySlice<MemberID>, at now: Duration) -> [SharedRecord] {
        ids.compactMap { id in
            records[id].map { record in
                let report = NodeReport(
                    region: region, life: record.report.life, sequence: record.report.sequence, own: record.report.own,
                    ended: record.ended.isEmpty ? nil : record.ended)
                return SharedRecord(report: report, ageMilliseconds: (now - record.heardAt).wholeMilliseconds)
            }
        }
    }
}

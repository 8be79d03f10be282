package import Blobs
package import ClipModel
package import Store

/// Compares what the database names with what the store has, both in the order of their names.
///
/// A value with constant memory: names go in, findings come out. Findings are suspicions: work goes on meanwhile, so
/// each is looked at once more before it is told.
package struct BlobComparison: Sendable {
    package struct Finding: Sendable, Hashable, Encodable {
        package enum Kind: String, Sendable, Encodable, CaseIterable {
            /// Named by the database and not in the store: a job or a download fails.
            case missing
            /// Of another size than the database says.
            case wrongSize = "wrong_size"
            /// In the store, named by nobody, and old enough to be no work under way: the sweeper removes it in time.
            case orphaned
        }

        package let kind: Kind
        package let name: String
        package let expectedBytes: Int64?
        package let storedBytes: Int64?
    }

    package private(set) var named: [NamedBlob] = []
    package private(set) var stored: [ListedBlob] = []
    private var isNamedDone = false
    private var isStoredDone = false

    package init() {}

    package var needsNamed: Bool { named.isEmpty && !isNamedDone }
    package var needsStored: Bool { stored.isEmpty && !isStoredDone }
    package var isDone: Bool { named.isEmpty && stored.isEmpty && isNamedDone && isStoredDone }

    /// The next page of names, after the last; an empty one is the end.
    package mutating func add(named page: [NamedBlob]) {
        named += page
        isNamedDone = page.isEmpty
    }

    package mutating func add(stored page: [ListedBlob]) {
        stored += page
        isStoredDone = page.isEmpty
    }

    /// What can be said before either side needs another page.
    package mutating func compare(orphansBefore moment: Timestamp) -> [Finding] {
        var findings: [Finding] = []
        var (left, right) = (named[...], stored[...])
        while true {
            switch (left.first, right.first) {
            case (let wanted?, let found?) where wanted.name == found.name:
                if let bytes = wanted.bytes, bytes != found.bytes { findings.append(.wrongSize(wanted, found)) }
                left.removeFirst()
                right.removeFirst()
                continue
            case (let wanted?, let found?) where wanted.name < found.name:
                findings.append(.missing(wanted))
                left.removeFirst()
                continue
            case (let wanted?, nil) where isStoredDone:
                findings.append(.missing(wanted))
                left.removeFirst()
                continue
            case (_?, let found?),
                (nil, let found?) where isNamedDone:
                if found.changedAt < moment, !Self.isOurs(found.name) { findings.append(.orphaned(found)) }
                right.removeFirst()
                continue
            default: break
            }
            break
        }
        (named, stored) = (Array(left), Array(right))
        return findings
    }

    /// Marks of nodes are named nowhere.
    private static func isOurs(_ name: BlobName) -> Bool { name.rawValue.hasPrefix("\(BlobSharing.root)/") }
}

extension BlobComparison.Finding {
    fileprivate static func missing(_ wanted: NamedBlob) -> Self {
        Self(kind: .missing, name: wanted.name.rawValue, expectedBytes: wanted.bytes, storedBytes: nil)
    }

    fileprivate static func wrongSize(_ wanted: NamedBlob, _ found: ListedBlob) -> Self {
        Self(kind: .wrongSize, name: found.name.rawValue, expectedBytes: wanted.bytes, storedBytes: found.bytes)
    }

    fileprivate static func orphaned(_ found: ListedBlob) -> Self {
        Self(kind: .orphaned, name: found.name.rawValue, expectedBytes: nil, storedBytes: found.bytes)
    }
}

/// Runs the comparison over a whole database and a whole store.
package struct BlobCheck: Sendable {
    package struct Report: Sendable, Hashable, Encodable {
        package var isHealthy: Bool { missing == 0 && wrongSize == 0 }
        package var namedBlobs = 0
        package var storedBlobs = 0
        package var storedBytes: Int64 = 0
        package var missing = 0
        package var wrongSize = 0
        package var orphaned = 0
        package var orphanedBytes: Int64 = 0
        /// The first of them.
        package var findings: [BlobComparison.Finding] = []
        package var findingsLeftOut = 0

        package init() {}

        private enum Key: String, CodingKey {
            case isHealthy, namedBlobs, storedBlobs, storedBytes, missing, wrongSize, orphaned, orphanedBytes
            case findings, findingsLeftOut
        }

        package func encode(to encoder: any Encoder) throws {
            var box = encoder.container(keyedBy: Key.self)
            try box.encode(isHealthy, forKey: .isHealthy)
            try box.encode(namedBlobs, forKey: .namedBlobs)
            try box.encode(storedBlobs, forKey: .storedBlobs)
            try box.encode(storedBytes, forKey: .storedBytes)
            try box.encode(missing, forKey: .missing)
            try box.encode(wrongSize, forKey: .wrongSize)
            try box.encode(orphaned, forKey: .orphaned)
            try box.encode(orphanedBytes, forKey: .orphanedBytes)
            try box.encode(findings, forKey: .findings)
            try box.encode(findingsLeftOut, forKey: .findingsLeftOut)
        }
    }

    /// Findings that are told one by one; more are counted.
    package static let findingsMax = 1000
    private static let pageRows = 1000
    private let names: any BlobNames
    private let blobs: any BlobStore
    private let orphanSeconds: Double
    private let now: WallTime

    /// - Parameter orphanSeconds: younger blobs that nobody names may belong to work under way.
    package init(
        names: any BlobNames, blobs: any BlobStore, orphanSeconds: Double = 3600, now: @escaping WallTime
    ) {
        self.names = names
        self.blobs = blobs
        self.orphanSeconds = orphanSeconds
        self.now = now
    }

    package func run() async throws -> Report {
        var (report, comparison) = (Report(), BlobComparison())
        var (lastNamed, lastStored): (BlobName?, BlobName?) = (nil, nil)
        let moment = now().advanced(bySeconds: -orphanSeconds)
        while !comparison.isDone {
            if comparison.needsStored {
                let page = try await blobs.list(under: nil, after: lastStored, limit: Self.pageRows)
                report.storedBlobs += page.count
                report.storedBytes += page.reduce(0) { $0 + $1.bytes }
                lastStored = page.last?.name ?? lastStored
                comparison.add(stored: page)
            }
            if comparison.needsNamed {
                let page = try await names.namedBlobs(after: lastNamed, limit: Self.pageRows)
                report.namedBlobs += page.count
                lastNamed = page.last?.name ?? lastNamed
                comparison.add(named: page)
            }
            for finding in comparison.compare(orphansBefore: moment) where try await stands(finding) {
                count(finding, into: &report)
            }
        }
        return report
    }

    /// Whether it is still so: a job may have been deleted, or a result been published, between the two looks.
    private func stands(_ finding: BlobComparison.Finding) async throws -> Bool {
        guard let name = BlobName(finding.name) else { return true }
        let isNamed = try await names.unnamed([name]).isEmpty
        let bytes = try await blobs.size(of: name)
        return switch finding.kind {
        case .missing: isNamed && bytes == nil
        case .wrongSize: isNamed && bytes != nil && bytes != finding.expectedBytes
        case .orphaned: !isNamed && bytes != nil
        }
    }

    private func count(_ finding: BlobComparison.Finding, into report: inout Report) {
        switch finding.kind {
        case .missing: report.missing += 1
        case .wrongSize: report.wrongSize += 1
        case .orphaned:
            report.orphaned += 1
            report.orphanedBytes += finding.storedBytes ?? 0
        }
        if report.findings.count < Self.findingsMax {
            report.findings.append(finding)
        } else {
            report.findingsLeftOut += 1
        }
    }
}

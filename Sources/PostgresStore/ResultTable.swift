import ClipModel
import Store

/// What stages made. Rows are added and dropped, never changed.
enum ResultTable {
    private static let columns = "id, body, array_to_json(blobs) as blobs, cache_key"
    private static let some = Statement("results", "select \(columns) from result where id = any($1::text[])")
    static let cached = Statement("cached_result", "select \(columns) from result where cache_key = $1")
    /// Adds those whose key, and who themselves, were not published before, and answers with their ids. In the order of
    /// the keys, so that two who publish the same never wait in a circle.
    private static let publish = Statement(
        "publish_results",
        """
        insert into result (id, body, blobs, cache_key)
        select id, body, blobs::text[], cache_key from \(ResultRow.rows)
        order by cache_key, id
        on conflict do nothing returning id
        """)
    /// The results that stand under keys or ids, kept from being deleted until the transaction ends.
    private static let standing = Statement(
        "standing_results",
        """
        select \(columns) from result where id = any($1::text[]) or cache_key = any($2::text[])
        order by id for key share
        """)

    /// Publishes what outcomes offer, and answers with the result that serves each of them, in their order: the offered
    /// one, or one that stood before. Nil when there is none: a reused result that was deleted, or no result at all.
    static func publish(
        _ outcomes: [StageOutcome], on connection: inout PostgresConnection
    ) throws -> [StageResult?] {
        var offered: [StageResult] = []
        var ids: Set<ResultID> = []
        for outcome in outcomes {
            switch outcome {
            case .produced(let result): offered.append(result)
            case .reused(let id): ids.insert(id)
            case .failed, .released: break
            }
        }
        var new: Set<ResultID> = []
        if !offered.isEmpty {
            new = Set(
                try connection.query(publish.with(rows: offered.map(ResultRow.init))).map {
                    try $0.read("id", ResultID.init)
                })
        }
        let beaten = offered.filter { !new.contains($0.id) }
        ids.formUnion(beaten.map(\.id))
        var standing: [StageResult] = []
        if !ids.isEmpty {
            let keys = beaten.compactMap(\.cacheKey)
            standing = try connection.query(Self.standing.with(Array(ids), keys)).map(result(_:))
        }
        return try outcomes.map { outcome in
            switch outcome {
            case .failed, .released: return nil
            case .reused(let id): return standing.first { $0.id == id }
            case .produced(let result) where new.contains(result.id): return result
            case .produced(let result):
                let sameKey = standing.first { $0.cacheKey != nil && $0.cacheKey == result.cacheKey }
                guard let kept = sameKey ?? standing.first(where: { $0.id == result.id }) else {
                    throw PostgresFailure(.conflict, "the result that stood in the way was deleted in this moment")
                }
                return kept
            }
        }
    }

    static let unnamed = Statement(
        "unnamed_blobs",
        """
        select name from unnest($1::text[]) as name
        where not exists (select from result where blobs @> array[name])
            and not exists (select from upload where blob = name)
            and not exists (select from upload where transcript->>'blob' = name)
            and not exists (select from upload_part where blob = name)
            and not exists (
                select from quarantine where name = \(QuarantineTable.blob) and emptied_at is null
                    and upload = 'upload_' || split_part(name, '/', 2))
        """)

    static func result(_ row: Row) throws -> StageResult {
        StageResult(
            id: try row.read("id", ResultID.init), body: try row.text("body"), blobs: try row.json("blobs"),
            cacheKey: try row.optional("cache_key"))
    }

    static func results(
        _ ids: Set<ResultID>, on connection: inout PostgresConnection, cache: ResultCache
    ) throws -> [ResultID: StageResult] {
        var results: [ResultID: StageResult] = [:]
        for id in ids { results[id] = cache[id] }
        let missing = ids.filter { results[$0] == nil }
        guard !missing.isEmpty else { return results }
        for result in try connection.query(some.with(Array(missing))).map(result(_:)) {
            // Safe inside an open transaction too: a row that others can see is committed, and ours are not read here.
            cache.insert(result)
            results[result.id] = result
        }
        return results
    }
}

private struct ResultRow: ColumnRow {
    let result: StageResult

    /// The blobs as the text of their array: an array of arrays would have to be as long in every row.
    static let columns: KeyValuePairs = ["id": "text", "body": "text", "blobs": "text", "cache_key": "text"]

    func write(to columns: inout Columns) {
        columns.add(result.id.rawValue)
        columns.add(result.body)
        columns.add(result.blobs.parameter)
        columns.add(result.cacheKey)
    }
}

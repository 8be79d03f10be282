import ClipModel
import Store

/// What stages made. Rows are added and dropped, never changed.
enum ResultTable {
    private static let columns = "id, body, array_to_json(blobs) as blobs, cache_key"
    private static let some = Statement("results", "select \(columns) from result where id = any($1::text[])")
    static let cached = Statement("cached_result", "select \(columns) from result where cache_key = $1")
    /// Nothing happens when the key, or this very result, was published before.
    static let publish = Statement(
        "publish_result",
        """
        insert into result (id, body, blobs, cache_key) values ($1, $2, $3::text[], $4) on conflict do nothing
        """)
    /// The result that stands under a key or an id, kept from being deleted until the transaction ends.
    static let standing = Statement(
        "standing_result",
        "select \(columns) from result where id = $1 or cache_key = $2 order by cache_key = $2 desc for key share")

    static let unnamed = Statement(
        "unnamed_blobs",
        """
        select name from unnest($1::text[]) as name
        where not exists (select from result where blobs @> array[name])
            and not exists (select from upload where blob = name)
            and not exists (select from upload where transcript->>'blob' = name)
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

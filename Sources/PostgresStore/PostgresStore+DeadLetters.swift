package import ClipModel
package import Store

/// What waits for somebody to look.
extension PostgresStore {
    package func deadLetters(
        _ filter: DeadLetterFilter, before cursor: JobID?, limit: Int
    ) async throws -> [DeadLetter] {
        let limit = min(max(0, limit), StoreLimits.pageRowsMax)
        let page = Self.deadLetters.with(cursor, limit, filter.tenant, filter.failureCode)
        return try await database.read { connection in
            var letters: [DeadLetter] = []
            for (job, clip) in try connection.query(page).map({ (try JobTables.job($0), try Self.missingClip($0)) }) {
                // A row for each clip; those of one job lie together.
                let others = letters.last?.job.id == job.id ? letters.removeLast().missing : []
                letters.append(DeadLetter(job, missing: others + (clip.map { [$0] } ?? [])))
            }
            return letters
        }
    }

    private static func missingClip(_ row: Row) throws -> MissingClip? {
        guard let ordinal = try row.readIfPresent("clip_ordinal", { Int($0) }) else { return nil }
        let stage = StageKey(try row.read("stage_name", StageName.init), try row.int("stage_index"))
        return MissingClip(
            id: ClipID(job: try row.read("id", JobID.init), ordinal: ordinal), stage: stage,
            failure: try row.json("stage_failure"))
    }

    /// `MissingClip`, of clips whose job is ready: the first stage that failed in the slot that would have made it.
    private static let missing = """
        clip cross join lateral (
            select stage.name, stage.index, stage.failure from stage
            where stage.job = clip.job and stage.state = 'failed' and stage.name = any(array[\(spoiling)])
                and stage.index = case when (clip.revision ->> 'number')::integer = 0 then (
                    select slot from revision
                    where revision.job = clip.job and (revision.facts ->> 'clip')::integer = clip.ordinal
                    order by (revision.facts ->> 'number')::integer desc limit 1)
                else clip.ordinal end
            order by stage.position limit 1
        ) as lost
        """
    private static let spoiling = StageName.allCases.filter(\.spoilsClips).map { "'\($0.rawValue)'" }
        .joined(separator: ", ")
    /// Each half begins at the newest and ends with its page (`job_error`, `clip_failed`), however many there are.
    private static let deadLetters = Statement(
        "dead_letters",
        """
        with ended as (
            select id from job
            where status = 'error' and ($1::text is null or id < $1) and ($3::text is null or tenant = $3)
                and ($4::text is null or failure -> 'failure' ->> 'code' = $4)
            order by id desc limit $2
        ), incomplete as (
            select distinct clip.job as id from \(missing) join job on job.id = clip.job
            where clip.failure is not null and job.status = 'ready' and ($1::text is null or clip.job < $1)
                and ($3::text is null or job.tenant = $3) and ($4::text is null or lost.failure ->> 'code' = $4)
            order by clip.job desc limit $2
        ), page as (
            select id from ended union all select id from incomplete order by id desc limit $2
        )
        select \(JobTables.jobColumns), gone.ordinal as clip_ordinal, gone.name as stage_name,
            gone.index as stage_index, gone.failure as stage_failure
        from page join job on job.id = page.id left join lateral (
            select clip.ordinal, lost.name, lost.index, lost.failure from \(missing)
            where job.status = 'ready' and clip.job = job.id and clip.failure is not null
                and ($4::text is null or lost.failure ->> 'code' = $4)
        ) as gone on true
        order by job.id desc, gone.ordinal
        """)
}

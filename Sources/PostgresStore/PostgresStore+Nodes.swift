package import ClipModel
package import Store

/// Nodes: their lives, their leases, and what becomes of their stages.
extension PostgresStore {
    package func register(_ draft: NodeDraft) async throws -> NodeLife {
        try await database.write { connection, _ in
            // The lock first: claims of the life before are over then, and later ones find the new epoch.
            connection.enqueue(Self.lockNode.with(draft.id))
            let register = Self.register.with(
                draft.id, draft.region, draft.http, draft.version, draft.threads, draft.leaseSeconds,
                Int64(clamping: draft.memberEpoch), draft.registration, JobOptions.known.sorted())
            let answers = try connection.queries([register, Self.freeStagesOfNode.with(draft.id, true)])
            // Thrown, so that nothing is freed: the later registration did that.
            guard let epoch = try answers[0].first?.int("epoch") else { throw StoreError.overtaken(draft) }
            try Self.enqueueReleases(answers[1], on: &connection)
            return .commit(NodeLife(id: draft.id, region: draft.region, epoch: epoch))
        }
    }

    package func heartbeat(
        _ life: NodeLife, running: [StageProgress], condition: NodeCondition
    ) async throws -> HeartbeatOutcome {
        let beat = Self.heartbeat.with(life.id, life.epoch, JSON(running), JSON(condition))
        let rows = try await database.read { try $0.query(beat) }
        guard let first = rows.first else { return .replaced }
        let (places, schedulability) = try storeErrors {
            (
                try rows.map { try $0.readIfPresent("place") { Int($0) } }.compactMap(\.self),
                try first.read("schedulability") { NodeSchedulability(rawValue: $0) }
            )
        }
        return .renewed(drop: places.sorted().map { running[$0 - 1] }, schedulability: schedulability)
    }

    package func leave(_ life: NodeLife) async throws {
        try await database.write { connection, _ in
            guard try !connection.query(Self.leave.with(life.id, life.epoch)).isEmpty else { return .rollBack(()) }
            let freed = try connection.query(Self.freeStagesOfNode.with(life.id, false))
            try Self.enqueueReleases(freed, on: &connection)
            return .commit(())
        }
    }

    package func freeStagesOfDeadNodes() async throws -> Int {
        try await database.write { connection, _ in
            let freed = try connection.query(Self.freeStagesOfDeadNodes.with())
            guard !freed.isEmpty else { return .rollBack(0) }
            try Self.enqueueReleases(freed, on: &connection)
            return .commit(freed.count)
        }
    }

    package func freeStages(
        ofDead node: NodeID, memberEpoch: UInt64, unheardForSeconds: Double
    ) async throws -> DeathOutcome {
        try await database.write { connection, _ in
            // Holds off its claims and its next life while its stages are taken.
            let answer = try connection.query(
                Self.lockDeadNode.with(node, Int64(clamping: memberEpoch), unheardForSeconds)
            ).first
            guard let answer else { return .rollBack(.unknown) }
            guard try answer.bool("is_unheard") else { return .rollBack(.heard) }
            let freed = try connection.query(Self.freeStagesOfNode.with(node, true))
            try Self.enqueueReleases(freed, on: &connection)
            return .commit(.freed(stages: freed.count))
        }
    }

    package func nodes() async throws -> [Node] {
        try await database.read { try $0.query(Self.nodes.with()).map(Self.node(_:)) }
    }

    package func setSchedulability(of node: NodeID, to schedulability: NodeSchedulability) async throws -> Node? {
        // A repetition writes the same again.
        try await database.read { try $0.query(Self.setSchedulability.with(node, schedulability)).map(Self.node(_:)) }
            .first
    }

    private static func node(_ row: Row) throws -> Node {
        Node(
            id: try row.read("id", NodeID.init), region: try row.read("region", Region.init),
            epoch: try row.int("epoch"), http: try row.text("http"), version: try row.text("version"),
            threads: try row.int("threads"), startedAt: try row.time("started_at"), seenAt: try row.time("seen_at"),
            seenAgo: .milliseconds(try row.int64("seen_ago_ms")),
            memberEpoch: try row.read("member_epoch") { UInt64($0) }, isAlive: try row.bool("is_alive"),
            hasLeft: try row.bool("has_left"),
            schedulability: try row.read("schedulability") { NodeSchedulability(rawValue: $0) },
            condition: try row.jsonIfPresent("condition") ?? NodeCondition(), running: try row.json("running"))
    }

    private static func enqueueReleases(_ freed: Rows, on connection: inout PostgresConnection) throws {
        var events: [EventRow] = []
        var signals: Set<StoreSignal> = []
        for (job, key, holder, at) in try freed.map(released(_:)).sorted(by: { ($0.0, $0.1) < ($1.0, $1.1) }) {
            events.append(EventRow(.init(.stageReleased, stage: key, node: holder), job: job, at: at))
            signals.formUnion([.work, .job(job)])
        }
        EventTable.enqueue(events, on: &connection)
        EventTable.announce(signals, on: &connection)
    }

    private static func released(_ row: Row) throws -> (JobID, StageKey, NodeID?, Timestamp) {
        (
            try row.read("job", JobID.init), StageKey(try row.read("name", StageName.init), try row.int("index")),
            try row.readIfPresent("holder", NodeID.init), try row.time("at")
        )
    }

    private static let lockNode = Statement("lock_node", "select 1 from node where id = $1 for update")
    private static let lockDeadNode = Statement(
        "lock_dead_node",
        """
        select seen_at + $3::float8 * interval '1 second' <= now() as is_unheard from node
        where id = $1 and member_epoch = $2 and left_at is null for update
        """)
    private static let register = Statement(
        "register",
        """
        insert into node (id, region, epoch, http, version, threads, lease_seconds, member_epoch, registration,
            started_at, seen_at, running, revises, options)
        values ($1, $2, nextval('node_epoch'), $3, $4, $5, $6, $7, $8, now(), now(), '[]', true, $9::text[])
        on conflict (id) do update set region = excluded.region, epoch = excluded.epoch, http = excluded.http,
            version = excluded.version, threads = excluded.threads, lease_seconds = excluded.lease_seconds,
            member_epoch = excluded.member_epoch, registration = excluded.registration,
            started_at = excluded.started_at, seen_at = excluded.seen_at, left_at = null, running = '[]',
            condition = null, revises = true, options = excluded.options
        where excluded.member_epoch = 0 or node.member_epoch <> excluded.member_epoch
            or node.registration <= excluded.registration
        returning epoch
        """)
    private static let heartbeat = Statement(
        "heartbeat",
        """
        with beat as (
            update node set seen_at = now(), running = $3::jsonb, condition = $4::jsonb
            where id = $1 and epoch = $2 and left_at is null
            returning id, schedulability
        ), told as (
            select place, entry->>'job' as job, entry->'key'->>'name' as name, (entry->'key'->>'index')::int as index,
                (entry->>'epoch')::int as epoch
            from jsonb_array_elements($3::jsonb) with ordinality as entries(entry, place)
        )
        select place, schedulability from beat left join told on not exists (
            select from stage
            where stage.job = told.job and stage.name = told.name and stage.index = told.index
                and stage.epoch = told.epoch and state = 'running' and holder = $1 and holder_epoch = $2)
        """)
    /// `no key update` waits for claims (`for share`) of this life, as `register` does.
    private static let leave = Statement(
        "leave",
        """
        update node set left_at = now(), running = '[]' where id = $1 and epoch = $2 and left_at is null returning 1
        """)
    private static let columns = """
        id, region, epoch, http, version, threads, ms_of(started_at) as started_at, ms_of(seen_at) as seen_at,
            greatest(0, ms_of(now()) - ms_of(seen_at)) as seen_ago_ms, member_epoch,
            left_at is null and seen_at + lease_seconds * interval '1 second' > now() as is_alive,
            left_at is not null as has_left, schedulability, condition, running
        """
    private static let nodes = Statement("nodes", #"select \#(columns) from node order by id collate "C""#)
    /// Waits for the claims of this node that are under way (`for share`), so that none gives it anything afterwards.
    private static let setSchedulability = Statement(
        "set_schedulability", "update node set schedulability = $2 where id = $1 returning \(columns)")

    /// What `StageRecord.release` does, for many stages in one statement. `lost` finds them, locked in the order of
    /// their keys; `counting` says whether the attempt counts, as one that its node died under.
    private static func freeing(_ lost: String, counting: String) -> String {
        """
        with lost as materialized (
            \(lost)
        )
        update stage set
            state = case when lost.job_ended then 'cancelled' else 'ready' end,
            attempts = attempts - case when lost.job_ended or not \(counting) then 1 else 0 end,
            crashes = crashes + case when lost.job_ended or not \(counting) then 0 else 1 end,
            holder = null, holder_epoch = null,
            not_before = case when lost.job_ended then not_before else now() end,
            started_at = case when lost.job_ended then started_at end,
            ended_at = case when lost.job_ended then now() end
        from lost
        where stage.job = lost.job and stage.name = lost.name and stage.index = lost.index
        returning stage.job, stage.name, stage.index, lost.holder, ms_of(now()) as at
        """
    }
    private static let lostColumns = """
        stage.job, stage.name, stage.index, stage.holder, job.status in ('ready', 'error', 'cancelled') as job_ended
        from stage join job on job.id = stage.job
        """
    /// Whatever runs belongs to a job that is under way, or that ended around it.
    static let runs = "(job.status = 'processing' or job.lingers) and stage.state = 'running'"
    private static let freeStagesOfNode = Statement(
        "free_stages_of_node",
        freeing(
            """
            select \(lostColumns) where \(runs) and stage.holder = $1
            order by stage.job, stage.position, stage.index for no key update of stage
            """, counting: "$2::boolean"))
    /// A stage that is just being ended by its holder is skipped: the report was first. The last condition finds stages
    /// whose holder lives and does not know of them.
    private static let freeStagesOfDeadNodes = Statement(
        "free_stages_of_dead_nodes",
        freeing(
            """
            select \(lostColumns) left join node on node.id = stage.holder
            where \(runs) and (
                node.id is null or node.left_at is not null or node.epoch <> stage.holder_epoch
                or node.seen_at + node.lease_seconds * interval '1 second' <= now()
                or (stage.started_at + node.lease_seconds * interval '1 second' <= node.seen_at
                    and not node.running @> jsonb_build_array(jsonb_build_object('job', stage.job, 'epoch', stage.epoch,
                        'key', jsonb_build_object('name', stage.name, 'index', stage.index)))))
            order by stage.job, stage.position, stage.index for no key update of stage skip locked
            """, counting: "true"))
}

package import ClipModel

/// Why a job is where it is: the answer of `tijera jobs why`.
///
/// Field names and codes are part of the API: add, do not rename.
package struct JobExplanation: Codable, Hashable, Sendable {
    /// What a stage, or the job, waits for.
    package enum Code: String, Codable, Hashable, Sendable, CaseIterable {
        /// The job has ended: well, in an error, or because somebody cancelled it.
        case endedReady = "ended_ready"
        case endedInError = "ended_in_error"
        case endedCancelled = "ended_cancelled"
        /// A node works on it.
        case running
        /// The node that worked on it has lost its lease; the stage is freed within seconds.
        case holderDead = "holder_dead"
        /// Nothing is before it and a node that claims has nothing to do.
        case aboutToStart = "about_to_start"
        /// Every node that may take it is at work.
        case freeThread = "free_thread"
        /// A batch job while its region has too much to do: interactive ones go before it, whatever their ranks.
        case batchDelayed = "batch_delayed"
        /// Too much came at once: it was taken in and is begun later.
        case deferred
        /// Nodes take work, and none of them has the memory, the disk or a thread for one more stage.
        case nodesWithoutRoom = "nodes_without_room"
        /// It failed, and is tried again at a known time.
        case retryLater = "retry_later"
        /// Only one node could take it, and it failed there for want of a resource a moment ago.
        case avoidedNodeOnly = "avoided_node_only"
        /// Its region has no node that takes work, or only paused ones; nodes of others take it after their own.
        case homeRegionWithoutNode = "home_region_without_node"
        /// Nodes live, and all of them are cordoned or draining.
        case noSchedulableNode = "no_schedulable_node"
        /// Nodes live as members of the cluster, and none of them reaches the database.
        case nodesWithoutDatabase = "nodes_without_database"
        /// No node lives.
        case noLivingNode = "no_living_node"
        /// Its client has as many jobs under way as it may; it begins when one of them ends.
        case clientLimit = "client_limit"
        /// It needs what other stages make.
        case otherStages = "other_stages"
        /// It failed for good, or was given up because another did.
        case failed, abandoned

        /// Whether it stays as it is until somebody does something.
        package var needsOperator: Bool {
            switch self {
            case .noSchedulableNode, .nodesWithoutDatabase, .noLivingNode, .nodesWithoutRoom: true
            default: false
            }
        }
    }

    /// Why one stage does not go on. Fields that make no sense under a code are nil.
    package struct Reason: Codable, Hashable, Sendable {
        /// `render[2]`; nil where the whole job is meant.
        package var stage: String?
        package var code: Code
        /// One sentence for people.
        package var text: String
        /// Who runs it, or who is avoided.
        package var node: String?
        /// 0 to 1, of a running stage.
        package var fraction: Double?
        /// Stages that are claimed before it; its place is one more.
        package var ahead: Int?
        /// Seconds until it is tried again, or offered to the avoided node again.
        package var seconds: Double?
        /// The last failure, or the one that ended the job.
        package var error: JobView.ErrorView?
        /// Stages that it needs and that are not done.
        package var waitsFor: [String]?

        package init(
            _ code: Code, _ text: String, stage: StageKey? = nil, node: NodeID? = nil, fraction: Double? = nil,
            ahead: Int? = nil, seconds: Double? = nil, error: JobView.ErrorView? = nil, waitsFor: [String]? = nil
        ) {
            self.stage = stage?.description
            self.code = code
            self.text = text
            self.node = node?.rawValue
            self.fraction = fraction
            self.ahead = ahead
            self.seconds = seconds
            self.error = error
            self.waitsFor = waitsFor
        }
    }

    package var job: JobID
    package var status: Job.Status
    /// The job as a whole: the reason of the stage that it turns on.
    package var reason: Reason
    /// What to do about it.
    package var hint: String
    package var needsOperator: Bool
    /// Of every stage that has not ended well, in the order of the stages.
    package var stages: [Reason]
}

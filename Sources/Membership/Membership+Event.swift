/// Why a connection could not be made.
package enum ConnectionFailure: Hashable, Sendable {
    /// The address answered that nobody listens there (RST): evidence that the process is gone.
    case refused
    /// No answer in time, or no route: the process may be slow, paused or cut off.
    case silent
    /// Somebody answered and did not want us, or was not the one we wanted.
    case rejected(reason: String)
}

/// A lease row of a member that was read from the database.
package struct LeaseSighting: Hashable, Sendable {
    /// Whose lease it is. A lease of an earlier life protects nobody.
    package let life: MemberLife
    /// When it was renewed, in milliseconds of the database's clock. Rises with every renewal.
    package let renewedAt: UInt64
    /// How long ago that was when the row was read, by the database's clock: no two clocks are ever compared.
    package let age: Duration

    package init(life: MemberLife, renewedAt: UInt64, age: Duration) {
        self.life = life
        self.renewedAt = renewedAt
        self.age = age
    }
}

extension Membership {
    /// What happened.
    package enum Event: Hashable, Sendable {
        /// Once, first. With no seeds the node is a cluster of its own until somebody calls.
        case started(seeds: [PeerAddress])
        /// The seeds were looked up again (DNS).
        case seedsFound([PeerAddress])
        /// `nextWakeUp` has come.
        case tick
        /// `from` is who the connection's handshake has proven.
        case received(MembershipMessage, from: MemberLife)
        /// A connection with that life stands, whoever opened it.
        case connected(MemberLife)
        /// The last connection with that life ended, whoever closed it. Answered by `connect`.
        case disconnected(MemberLife)
        /// An attempt to connect to the address of a member failed.
        case couldNotConnect(MemberLife, ConnectionFailure)
        /// An attempt to connect to a seed, of which no name is known, failed.
        case couldNotReach(PeerAddress, ConnectionFailure)
        /// The lease rows were read; best after each of our own heartbeats to the database.
        case leasesSeen([LeaseSighting])
        /// The operator changed what this node tells of itself.
        case metadataChanged(MemberMetadata)
        /// The node wants to stop; `departed` follows.
        case leaveRequested
    }

    /// What to do about it, in this order.
    package enum Action: Hashable, Sendable {
        /// Sends it, connecting first when no connection stands (`address` is nil when only a standing one will do).
        /// Never waits; a message that cannot be sent is dropped, and a failed attempt is reported by
        /// `couldNotConnect`.
        case send(MembershipMessage, to: MemberLife, at: PeerAddress?)
        /// Connects, if it is not connected or connecting. Answered by `connected` or by `couldNotConnect(expecting,
        /// ...)`; when `expecting` is nil (a seed) by `connected` or `couldNotReach`. Who answers may be another life.
        case connect(PeerAddress, expecting: MemberLife?)
        /// The view that placement uses from now on.
        case publish(MembershipView)
        /// For operators, logs and watchers, at once, before it is settled into a view.
        case changed(MemberChange)
        /// A newer life of this node exists: stop at once. Nothing follows.
        case replaced(by: MemberLife)
        /// The others have been told that we leave: the node may stop. Nothing follows.
        case departed
    }
}

/// One member's change of status or metadata.
package struct MemberChange: Hashable, Sendable {
    package enum Reason: Hashable, Sendable {
        /// Seen for the first time, or a new life after an earlier one.
        case joined
        /// It refuted what was said about it.
        case refuted
        /// It changed its metadata.
        case metadata
        /// It answered no probe.
        case silence
        /// Its address refuses connections.
        case refused
        /// It was believed dead and its lease was renewed since.
        case leaseRenewed
        /// It said so.
        case left
        /// Somebody else said so.
        case rumour
    }

    package let member: Member
    /// What it was before; nil when it was not known.
    package let before: MemberStatus?
    package let reason: Reason

    package init(member: Member, before: MemberStatus?, reason: Reason) {
        self.member = member
        self.before = before
        self.reason = reason
    }
}

package import Distributed
package import Membership
import Synchronization

/// A virtual actor that has something to do before it is put to sleep.
package protocol Passivating: DistributedActor {
    /// No call is inside and none will come; this instance is dropped afterwards. What has to outlive it is written
    /// now.
    func passivate(_ reason: PassivationReason) async
}

/// Why a virtual actor is put to sleep.
package enum PassivationReason: Hashable, Sendable {
    /// It had no calls for `ClusterConfiguration.idleLimit`.
    case idle
    /// Its key belongs to that node now; nil when nobody can hold it.
    case moved(to: MemberLife?)
    /// The node stops.
    case stopping
}

extension ClusterActorSystem {
    /// Makes the actor of a key. It has to make exactly one actor, on the system it is given, and return that one.
    package typealias Factory = @Sendable (VirtualActorKey, ClusterActorSystem) async throws -> any DistributedActor

    /// Says how actors of a kind are made. Every node of the cluster registers the same kinds before `run`.
    package func register(kind: String, _ factory: @escaping Factory) {
        precondition(ClusterActorID.isName(kind), "\(kind) is not the name of a kind")
        factories.withLock { factories in
            precondition(factories[kind] == nil, "kind \(kind) is registered already")
            factories[kind] = factory
        }
    }

    /// Virtual actors that are active here.
    package var activeKeys: [VirtualActorKey] { activations.withLock { $0.active } }

    /// The actor of that key, wherever it is: a stand-in whose calls find it.
    package func virtual<Act: DistributedActor>(
        _ type: Act.Type, kind: String, key: String, home: String? = nil
    ) throws -> Act where Act.ActorSystem == ClusterActorSystem {
        try Act.resolve(id: .virtual(kind: kind, key: key, home: home), using: self)
    }

    /// Makes an actor under a name of this node, by which others find it, and keeps it until `release`.
    ///
    /// - Parameter make: makes exactly one actor, on this system.
    package func host<Act: DistributedActor>(
        _ name: String, _ make: () throws -> Act
    ) throws -> Act where Act.ActorSystem == ClusterActorSystem {
        precondition(ClusterActorID.isName(name), "\(name) is not an actor's name")
        let id = ClusterActorID.named(name, on: life)
        guard directory.withLock({ $0.reserve(name) }) else {
            throw ClusterCallError(.noSuchActor, "the name \(name) is taken on this node")
        }
        let actor = try AssignedID.$next.withValue(AssignedID(id)) { try make() }
        precondition(actor.id == id, "the closure has to make one actor and return it")
        directory.withLock { $0.host(name) }
        return actor
    }

    /// Lets a hosted actor go. Calls to it are answered `noSuchActor` from here on.
    package func release(_ name: String) {
        // Dropped here, outside of the lock.
        _ = directory.withLock { $0.release(name) }
        watchers.actorEnded(.named(name, on: life))
    }

    /// The actor of that name on that node.
    package func named<Act: DistributedActor>(
        _ type: Act.Type, _ name: String, on life: MemberLife
    ) throws -> Act where Act.ActorSystem == ClusterActorSystem {
        try Act.resolve(id: .named(name, on: life), using: self)
    }
}

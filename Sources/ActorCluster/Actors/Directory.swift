import Distributed

/// The named actors of this node.
///
/// Hosted ones are held: they live until they are released. An actor that somebody merely made is known as long as
/// somebody holds it: an actor system that kept it would leak every actor of the program.
struct Directory: Sendable {
    private struct Entry: Sendable {
        weak var actor: (any DistributedActor)?
        var hosted: (any DistributedActor)?
    }

    private var entries: [String: Entry] = [:]
    /// Names that are given out while their actor's initialiser runs.
    private var reserved: Set<String> = []
    private var last: UInt64 = 0

    /// A name for an actor that was given none.
    mutating func nextName() -> String {
        last += 1
        return "actor-\(last)"
    }

    /// False when the name is taken.
    mutating func reserve(_ name: String) -> Bool {
        guard entries[name]?.actor == nil else { return false }
        return reserved.insert(name).inserted
    }

    mutating func ready(_ actor: any DistributedActor, name: String) {
        reserved.remove(name)
        entries[name] = Entry(actor: actor)
    }

    /// Holds the actor of that name until it is released.
    mutating func host(_ name: String) {
        let actor = entries[name]?.actor
        entries[name]?.hosted = actor
    }

    /// What was hosted under the name; the caller drops it outside of any lock, for its `deinit` comes back here.
    mutating func release(_ name: String) -> (any DistributedActor)? {
        defer { entries[name] = nil }
        return entries[name]?.hosted
    }

    /// The actor's initialiser has failed, or the actor is gone. Its name may be another's by now.
    mutating func resigned(_ name: String) {
        reserved.remove(name)
        if entries[name]?.actor == nil { entries[name] = nil }
    }

    func actor(_ name: String) -> (any DistributedActor)? { entries[name]?.actor }

    var names: [String] { entries.filter { $0.value.actor != nil }.keys.sorted() }
}

import Synchronization

/// The identity of the next actor that is made in this task. `assignID` is told the type of the new actor and nothing
/// else, so what it is to be called comes this way.
final class AssignedID: Sendable {
    private let id: Mutex<ClusterActorID?>

    init(_ id: ClusterActorID) { self.id = Mutex(id) }

    @TaskLocal static var next: AssignedID?

    /// For one actor: should the closure make two, the second is like any other.
    func take() -> ClusterActorID? {
        id.withLock { id in
            defer { id = nil }
            return id
        }
    }
}

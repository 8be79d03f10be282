package import ClipModel
import Glibc
import Synchronization

/// The threads this node may give to tools at one time.
///
/// Two bounds hold together: the node's own budget, and one lock file for every core of the machine, in a directory
/// that all nodes of the machine share. Whoever holds the lock of `slot-3` uses one thread. The kernel gives locks
/// back when a process dies, in whatever way, so a killed node never leaves the machine short of threads.
package final class CPUSlots: Sendable {
    /// Threads that a stage holds. Goes back by `release`.
    package struct Grant: Sendable, Hashable {
        fileprivate let slots: [Int]
        package var threads: Int { slots.count }
    }

    /// Threads of this node at most.
    package let budget: Int
    private let descriptors: [Int32]
    private let held = Mutex<Set<Int>>([])

    /// - Parameters:
    ///   - directory: shared by the nodes of this machine; made when it is missing.
    ///   - machineThreads: how many threads all of them may use together; the same on each of them.
    package init(directory: String, machineThreads: Int, budget: Int) throws(Failure) {
        precondition(machineThreads > 0 && budget > 0, "\(budget) of \(machineThreads) threads")
        // The string lives for the length of the call.
        guard unsafe mkdir(directory, 0o770) == 0 || errno == EEXIST else { throw Self.unusable }
        var descriptors: [Int32] = []
        for slot in 0..<machineThreads {
            // As above. Closed on exec, so that no tool can hold a slot beyond the life of its node.
            let descriptor = unsafe open("\(directory)/slot-\(slot)", O_RDWR | O_CREAT | O_CLOEXEC, 0o660)
            guard descriptor >= 0 else {
                for opened in descriptors { _ = close(opened) }
                throw Self.unusable
            }
            descriptors.append(descriptor)
        }
        self.budget = min(budget, machineThreads)
        self.descriptors = descriptors
    }

    deinit { for descriptor in descriptors { _ = close(descriptor) } }

    /// One to `limit` threads that are free right now; nil when none is. Never waits.
    package func tryAcquire(upTo limit: Int = 1) -> Grant? {
        let slots = take(limit)
        return slots.isEmpty ? nil : Grant(slots: slots)
    }

    /// The same grant with what is free right now, up to `limit` threads together.
    package func extended(_ grant: Grant, upTo limit: Int) -> Grant {
        Grant(slots: grant.slots + take(limit - grant.threads))
    }

    package func release(_ grant: Grant) {
        held.withLock { held in
            for slot in grant.slots {
                precondition(held.remove(slot) != nil, "slot \(slot) is released and not held")
                _ = flock(descriptors[slot], LOCK_UN)
            }
        }
    }

    /// Threads in use by this node.
    package var inUse: Int { held.withLock { $0.count } }

    private func take(_ limit: Int) -> [Int] {
        held.withLock { held in
            var slots: [Int] = []
            for slot in descriptors.indices where slots.count < limit && held.count < budget {
                // A lock that this very descriptor holds would be granted again, so our own are not asked for.
                guard !held.contains(slot), flock(descriptors[slot], LOCK_EX | LOCK_NB) == 0 else { continue }
                held.insert(slot)
                slots.append(slot)
            }
            return slots
        }
    }

    private static let unusable = Failure(
        .resource, code: "slots_unusable", reason: "The directory of the thread slots cannot be used.",
        hint: "Give all nodes of the machine the right to write the configured directory.")
}

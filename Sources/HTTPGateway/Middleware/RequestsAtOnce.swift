import Synchronization

/// How many requests of each subject run on this node.
final class RequestsAtOnce: Sendable {
    private let running = Mutex<[String: Int]>([:])

    /// A place, which is given back when the last reference to it goes: with the answer, or with the connection.
    final class Place: Sendable {
        private let table: RequestsAtOnce
        private let subject: String

        fileprivate init(_ table: RequestsAtOnce, _ subject: String) {
            self.table = table
            self.subject = subject
        }

        deinit { table.leave(subject) }
    }

    /// Nil: the subject has as many as it may.
    func enter(_ subject: String, max: Int) -> Place? {
        let isIn = running.withLock { running in
            let held = running[subject] ?? 0
            guard held < max else { return false }
            running[subject] = held + 1
            return true
        }
        return isIn ? Place(self, subject) : nil
    }

    private func leave(_ subject: String) {
        running.withLock { running in
            let held = running[subject] ?? 0
            running[subject] = held > 1 ? held - 1 : nil
        }
    }
}

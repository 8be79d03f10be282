/// Why something did not work, in the form that clients, operators and the schedule read alike.
package struct Failure: Error, Hashable, Sendable, Codable, CustomStringConvertible {
    /// What the schedule may do about it.
    package enum Class: String, Sendable, Codable, CaseIterable {
        /// May work when tried again: a dropped connection, a child that was killed.
        case transient
        /// Will never work with this input: the file is broken, an option makes no sense.
        case poison
        /// This node lacks something another may have: memory, disk, a model.
        case resource
        /// Somebody asked for it to stop. Does not count as an attempt.
        case cancelled
    }

    package let `class`: Class
    /// Stable and machine-readable: `snake_case`. The page translates it.
    package let code: String
    /// What happened, in one sentence for people. Never holds a path, a token or a user's file name.
    package let reason: String
    /// What to do about it.
    package let hint: String
    /// Optional, so that neighbouring releases read each other's.
    private let isWaiting: Bool?

    /// - Parameter waits: what is missing is for an operator to bring back, and will come (`Failure.waits`).
    package init(_ class: Class, code: String, reason: String, hint: String, waits: Bool = false) {
        self.class = `class`
        self.code = code
        self.reason = reason
        self.hint = hint
        isWaiting = waits ? true : nil
    }

    /// Tried again for a day at least without counting as an attempt (`StoreLimits.waitingSeconds`).
    package var waits: Bool { isWaiting ?? false }

    package var description: String { "\(code): \(reason) \(hint)" }
}

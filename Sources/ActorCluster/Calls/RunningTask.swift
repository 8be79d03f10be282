/// A task that runs an incoming call, as something another task can cancel.
///
/// Racing every call against a "cancelled" signal in a group of two children costs ten times what the call costs. The
/// standard library lets any task call `cancel()` on an `UnsafeCurrentTask` as long as that task is alive; what it does
/// not do is say so in the type. So the rule is kept here: one is made inside its task, stored under the lock of
/// `ServedCalls`, taken out under the same lock before the task ends, and `cancel` is called under that lock only.
@safe struct RunningTask: Sendable {
    private let bits: UInt

    /// The task that asks; nil outside of any.
    static func current() -> RunningTask? {
        unsafe withUnsafeCurrentTask { task in
            // The type is a single reference, which is kept as a number because it is not Sendable: see the rule above.
            guard let task = unsafe task else { return nil }
            return RunningTask(bits: unsafe unsafeBitCast(task, to: UInt.self))
        }
    }

    func cancel() {
        // Alive, by the rule above.
        unsafe unsafeBitCast(bits, to: UnsafeCurrentTask.self).cancel()
    }
}

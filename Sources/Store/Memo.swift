import Synchronization

/// What texts were decoded to, for texts that come again and again: the options of a job come with each look at it.
/// Nothing in it can be stale, because the same bytes mean the same value.
package final class Memo: Sendable {
    /// Compares bytes: strings are equal when they look alike, and two spellings of "é" are two values.
    private struct Key: Hashable {
        let type: ObjectIdentifier
        let text: String

        static func == (left: Key, right: Key) -> Bool {
            left.type == right.type && left.text.utf8.elementsEqual(right.text.utf8)
        }

        func hash(into hasher: inout Hasher) {
            hasher.combine(type)
            for byte in text.utf8 { hasher.combine(byte) }
        }
    }

    private struct State {
        var values: [Key: any Sendable] = [:]
        var bytes = 0
    }

    private let state = Mutex(State())
    private let bytesMax: Int

    /// - Parameter bytesMax: how much text it remembers; what is longer than a sixteenth of it is decoded each time.
    package init(bytesMax: Int = 1 << 20) { self.bytesMax = bytesMax }

    /// The value of `text`: remembered, or decoded now.
    package func value<Value: Sendable, Problem: Error>(
        of text: String, _ decode: (String) throws(Problem) -> Value
    ) throws(Problem) -> Value {
        let bytes = text.utf8.count
        guard bytes <= bytesMax / 16 else { return try decode(text) }
        let key = Key(type: ObjectIdentifier(Value.self), text: text)
        if let known = state.withLock({ $0.values[key] }) as? Value { return known }
        let value = try decode(text)
        state.withLock { state in
            // All at once: what is needed comes again, and nothing has to be kept about who was last.
            if state.bytes + bytes > bytesMax { state = State() }
            if state.values.updateValue(value, forKey: key) == nil { state.bytes += bytes }
        }
        return value
    }
}

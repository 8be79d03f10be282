/// Options in words, by which nodes of different releases tell each other what they can carry out: the name of an
/// option, and behind `=` a choice that it has: `captionStyle=neon`.
///
/// Read from the options themselves, so that a new one cannot be forgotten here.
extension JobOptions {
    /// What this binary knows.
    package static let known: Set<String> = {
        var words: Set<String> = []
        for (name, value) in fields(of: JobOptions()) {
            words.insert(name)
            for choice in choices(of: type(of: value)) { words.insert("\(name)=\(choice)") }
        }
        return words
    }()

    /// What a node must know to carry these out. What is left as every release has it needs nothing.
    package var needed: Set<String> {
        let usual = Dictionary(uniqueKeysWithValues: Self.fields(of: JobOptions()).map { ($0.name, $0.value) })
        var words: Set<String> = []
        for (name, value) in Self.fields(of: self) {
            guard usual[name].map({ String(reflecting: $0) }) != String(reflecting: value) else { continue }
            words.insert(name)
            if let choice = Self.choice(value) { words.insert("\(name)=\(choice)") }
        }
        return words.intersection(Self.known)
    }

    /// What the last release knew that did not say so yet: nodes that say nothing are taken for that one. Never
    /// changed.
    package static let knownAtFirst: Set<String> = [
        "aspect", "aspect=16:9", "aspect=1:1", "aspect=4:5", "aspect=9:16", "captionStyle", "captionStyle=boxed",
        "captionStyle=classic", "captionStyle=plain", "clipCount", "durationPreset", "durationPreset=long",
        "durationPreset=normal", "durationPreset=short", "keywords", "language", "maxSeconds", "minSeconds",
        "smartCrop", "subtitles", "subtitles=burned", "subtitles=off", "subtitles=srt", "watermark",
    ]

    private static func fields(of options: JobOptions) -> [(name: String, value: Any)] {
        Mirror(reflecting: options).children.compactMap { child in child.label.map { ($0, child.value) } }
    }

    private static func choice(_ value: Any) -> String? {
        guard value is any CaseIterable, let choice = value as? any RawRepresentable else { return nil }
        return "\(choice.rawValue)"
    }

    private static func choices(of type: Any.Type) -> [String] {
        func all<Choice: CaseIterable>(_ type: Choice.Type) -> [String] { type.allCases.compactMap { choice($0) } }
        let bare = (type as? any Wrapping.Type)?.wrapped ?? type
        return (bare as? any CaseIterable.Type).map { all($0) } ?? []
    }
}

/// Tells of an optional what it would hold.
private protocol Wrapping { static var wrapped: Any.Type { get } }
extension Optional: Wrapping { fileprivate static var wrapped: Any.Type { Wrapped.self } }

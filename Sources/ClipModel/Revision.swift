package enum RevisionKind: IdentifierKind { package static var prefix: String { "revision" } }
package typealias RevisionID = Identifier<RevisionKind>

/// One wish for one clip of a finished job: other borders, another look, other words, or a clip that the job did not
/// choose. Never changed once it is taken in; how it stands is told by its stages.
package struct Revision: Hashable, Sendable {
    package let id: RevisionID
    /// The index of its stages: `render[7]`. Above those of the clips that the job chose, and never used twice, so the
    /// stages of what was there before stay as they are.
    package let slot: Int
    /// Ordinal of the clip.
    package let clip: Int
    /// Counts the revisions of its clip. What the job made itself is 1, and so is the first of a clip made by hand.
    package let number: Int
    /// In seconds of the source.
    package let range: TimeRange
    /// Nil: as it was.
    package let title: String?
    /// Of this clip, all of them.
    package let options: JobOptions
    /// Whether the words are those of a client, and whether some scenes are framed as a client said. What was said is
    /// long and read apart (`Store.edits`), by whoever needs it: a revision travels with every look at its job.
    package let hasCaptions: Bool
    package let hasScenes: Bool
    package let createdAt: Timestamp

    package init(
        id: RevisionID, slot: Int, clip: Int, number: Int, range: TimeRange, title: String?, options: JobOptions,
        hasCaptions: Bool = false, hasScenes: Bool = false, createdAt: Timestamp
    ) {
        self.id = id
        self.slot = slot
        self.clip = clip
        self.number = number
        self.range = range
        self.title = title
        self.options = options
        self.hasCaptions = hasCaptions
        self.hasScenes = hasScenes
        self.createdAt = createdAt
    }

    package var hasEdits: Bool { hasCaptions || hasScenes }

    /// What a revision ends with that was cancelled.
    package static let stopped = Failure(
        .cancelled, code: "revision_stopped", reason: "The change was stopped before it was done.",
        hint: "The clip is as it was; ask for the change again if you still want it.")
}

/// How a clip that was revised, or made by hand, stands.
package struct ClipRevision: Hashable, Sendable, Codable {
    /// Of what its files show; 0: nothing is there yet.
    package var number: Int
    /// The one that is being made.
    package var pending: Int?
    /// Why the one that was asked for last did not come about.
    package var failure: Failure?
    /// What the files were made with, or of a clip made by hand are to be made with; nil: the options of the job.
    package var options: JobOptions?
    /// Whether the words are those of a client, and whether some scenes are framed as a client said.
    package var hasCaptions: Bool
    package var hasScenes: Bool

    package init(
        number: Int, pending: Int? = nil, failure: Failure? = nil, options: JobOptions? = nil,
        hasCaptions: Bool = false, hasScenes: Bool = false
    ) {
        self.number = number
        self.pending = pending
        self.failure = failure
        self.options = options
        self.hasCaptions = hasCaptions
        self.hasScenes = hasScenes
    }
}

/// What a client changed of a clip beyond its options. Times are seconds of the source, so that other borders leave
/// words and scenes where they are; what lies outside of the borders is not shown.
package struct ClipEdits: Hashable, Sendable, Codable {
    package struct Caption: Hashable, Sendable, Codable {
        package var start: Double
        package var end: Double
        package var text: String

        package init(start: Double, end: Double, text: String) {
            self.start = start
            self.end = end
            self.text = text
        }
    }

    package struct Scene: Hashable, Sendable, Codable {
        package enum Layout: String, Hashable, Sendable, Codable, CaseIterable {
            /// The whole picture.
            case fit
            /// A window of the clip's shape that stands still.
            case crop
        }

        package var start: Double
        package var end: Double
        package var layout: Layout
        /// Of `crop`: where the middle of the window is, as a share of the picture's width. Nil: in the middle.
        package var x: Double?

        package init(start: Double, end: Double, layout: Layout, x: Double? = nil) {
            self.start = start
            self.end = end
            self.layout = layout
            self.x = x
        }
    }

    package static let captionsMax = 400
    package static let captionCharactersMax = 200
    package static let scenesMax = 100
    /// Shorter ones could not be read, or seen.
    package static let secondsMin = 0.1

    /// Nil: as they were heard. Empty: none.
    package var captions: [Caption]?
    /// Nil: as they were found.
    package var scenes: [Scene]?

    package init(captions: [Caption]? = nil, scenes: [Scene]? = nil) {
        self.captions = captions
        self.scenes = scenes
    }

    /// The first thing wrong with these edits, or nil.
    package var problem: EditProblem? { captionProblem ?? sceneProblem }

    private var captionProblem: EditProblem? {
        let captions = captions ?? []
        if captions.count > Self.captionsMax {
            return EditProblem(field: "edits.captions", detail: "must be at most \(Self.captionsMax)")
        }
        if let place = captions.firstIndex(where: { !(1...Self.captionCharactersMax).contains($0.text.count) }) {
            return EditProblem(
                field: "edits.captions[\(place)].text", detail: "must have 1 to \(Self.captionCharactersMax) characters"
            )
        }
        // A line of nothing but spaces, or with what no subtitle file can hold.
        if let place = captions.firstIndex(where: { !$0.text.contains { !$0.isWhitespace } || $0.text.hasControls }) {
            return EditProblem(field: "edits.captions[\(place)].text", detail: "must be words")
        }
        return Self.orderProblem(captions.map { ($0.start, $0.end) }, "edits.captions")
    }

    private var sceneProblem: EditProblem? {
        let scenes = scenes ?? []
        if scenes.count > Self.scenesMax {
            return EditProblem(field: "edits.scenes", detail: "must be at most \(Self.scenesMax)")
        }
        if let place = scenes.firstIndex(where: { $0.x.map { !(0...1).contains($0) } ?? false }) {
            return EditProblem(field: "edits.scenes[\(place)].x", detail: "must be between 0 and 1")
        }
        if let place = scenes.firstIndex(where: { $0.layout == .fit && $0.x != nil }) {
            return EditProblem(field: "edits.scenes[\(place)].x", detail: "belongs to the layout crop only")
        }
        return Self.orderProblem(scenes.map { ($0.start, $0.end) }, "edits.scenes")
    }

    private static func orderProblem(_ times: [(start: Double, end: Double)], _ field: String) -> EditProblem? {
        var last = 0.0
        for (place, time) in times.enumerated() {
            guard time.start.isFinite, time.end.isFinite, time.start >= 0 else {
                return EditProblem(field: "\(field)[\(place)].start", detail: "must be seconds of the source")
            }
            guard time.end - time.start >= secondsMin - 0.002 else {
                return EditProblem(
                    field: "\(field)[\(place)].end", detail: "must lie at least \(secondsMin) s behind start")
            }
            // What a page rounds to milliseconds may overlap by one.
            guard time.start >= last - 0.002 else {
                return EditProblem(
                    field: "\(field)[\(place)].start", detail: "must not lie before the end of the one before")
            }
            last = time.end
        }
        return nil
    }
}

extension JobOptions {
    /// Options that concern how one clip looks: those that a revision may have otherwise. The rest decides which
    /// moments become clips, and of those that is over.
    package static let looks: [CodingKeys] = [
        .aspect, .captionStyle, .denoise, .punchIns, .smartCrop, .speakerColors, .subtitles, .tighten, .watermark,
    ]
}

/// An edit that cannot be made, and why.
package struct EditProblem: Error, Hashable, Sendable {
    package let field: String
    package let detail: String

    package init(field: String, detail: String) {
        self.field = field
        self.detail = detail
    }
}

extension String {
    fileprivate var hasControls: Bool {
        unicodeScalars.contains { $0.properties.generalCategory == .control && $0 != "\n" && $0 != "\t" }
    }
}

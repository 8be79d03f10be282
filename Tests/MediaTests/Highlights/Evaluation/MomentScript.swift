/// What made-up talks of one language are made of. There are two of each language that share no sentence: figures are
/// tuned on the first and judged on the second, which nobody looked at while tuning.
struct MomentScript: Sendable {
    /// Things that one topic is about; none is in two topics.
    var topics: [[String]]
    /// Sentences without interest, with two things of the topic at hand in them.
    var dull: [String]
    /// Words that fill time: greetings, thanks, thinking aloud.
    var idle: [String]
    /// Moments that a good editor would cut out, sentence by sentence; after `*` the audience laughs or claps.
    var moments: [[String]]

    static func tuned(_ language: String) -> MomentScript {
        switch language {
        case "es": spanishTuned
        case "pt": portugueseTuned
        default: englishTuned
        }
    }

    static func heldOut(_ language: String) -> MomentScript {
        switch language {
        case "es": spanishHeldOut
        case "pt": portugueseHeldOut
        default: englishHeldOut
        }
    }
}

/// What a score is made of. The raw values are the keys of `Highlight.signals`: stable, the page translates them.
///
/// Every signal is 0 to 1. Those marked "measured" are compared with the rest of the same video by median and median
/// absolute deviation, so 0.5 is usual there and 0.9 is rare; the others are judged by rules.
package enum HighlightSignal: String, CaseIterable, Sendable {
    /// The opening asks, counts, contrasts or speaks to the viewer.
    case hook
    /// The opening needs nothing that was said before.
    case standalone
    /// The clip ends where the thought ends.
    case ending
    /// It says what the video is about, in words that are rare elsewhere (measured).
    case salience
    /// The client's keywords are said. 0 when none were given.
    case keywords
    /// It says something: no greetings, thanks or requests to subscribe.
    case substance
    /// It stays with one topic.
    case focus
    /// Speech is quicker than usual (measured).
    case pace
    /// Little of it is pause (measured).
    case flow
    /// It is louder than usual (measured).
    case energy
    /// Loudness changes more than usual (measured).
    case dynamics
    /// Laughter or applause, with what caused it.
    case reaction
    /// It tells of people: a story, a turn, a question and its answer (partly measured).
    case story
    /// The voice moves more than usual (measured).
    case pitch
    /// The picture is cut more often than usual (measured). Only where nothing is said.
    case variety

    /// Share in the score of a clip with speech. With keywords the other shares shrink to make room for theirs.
    var weight: Double {
        switch self {
        case .hook: 0.14
        case .standalone: 0.08
        case .ending: 0.08
        case .salience: 0.10
        case .substance: 0.08
        case .focus: 0.04
        case .pace: 0.04
        case .flow: 0.04
        case .energy: 0.07
        case .dynamics: 0.03
        case .reaction: 0.10
        case .story: 0.12
        case .pitch: 0.08
        case .keywords, .variety: 0
        }
    }

    static let keywordsWeight = 0.3

    /// Share in the score of a stretch without speech.
    var silentWeight: Double {
        switch self {
        case .energy: 0.4
        case .dynamics: 0.3
        case .variety: 0.3
        default: 0
        }
    }
}

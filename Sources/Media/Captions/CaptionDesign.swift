import ClipModel

/// How one style of captions looks.
///
/// Lengths are in pixels of a picture of 1080x1920 at the usual size of letters and grow with them; colours are written
/// as ASS has them, blue before red. What makes the word being spoken stand out never changes how wide it is, because
/// a line must not move while it is read.
struct CaptionDesign: Hashable, Sendable {
    var typeface: Typeface
    /// Of the letters, in shares of the usual ASS size.
    var sizeShare = 1.0
    /// Outline around letters, or the padding of the box.
    var frame = 7.0
    /// Nil: two sevenths of the outline.
    var shadow: Double?
    var spacing = 0.0
    var isBoxed = false
    /// Of the words that wait or are over.
    var text = "FFFFFF"
    var outline = "2A1F0B"
    /// Of the shadow or the box; nil: that of the outline.
    var shade: String?
    /// Of the word being spoken; nil: all words look alike all the time.
    var spoken: String?
    /// Of words that matter; nil: they look like the others.
    var emphasis: String?
    /// Of what one speaker says, another and a third, where they are told apart; `text` is left to whom nobody knows.
    var voices = Voice.light
    /// What is drawn below the letters, word by word.
    var underlay: Underlay?
    /// Where an underlay colours the outline of the letters too.
    var tintsOutline = false
    var isUppercase = false
    /// Whether a group grows into its place in its first tenth of a second.
    var pops = false
    /// Edges softened by this many pixels.
    var blur = 0.0

    /// A wide outline on a layer of its own.
    struct Underlay: Hashable, Sendable {
        var width: Double
        var blur: Double
        /// Below words that are not spoken; nil: none there.
        var usual: String?
        var spoken: String
        var emphasis: String?
    }

    /// How the words of one speaker look.
    ///
    /// Letters are at least nine times as bright as what is around them (WCAG's contrast): then either they or their
    /// outline stand out from any picture by three to one, because its brightness cannot be near to both.
    struct Voice: Hashable, Sendable {
        var text: String
        /// Nil: as of all words.
        var outline: String?
        var underlay: String?

        /// Sky, spring and rose. The first two are far apart for who cannot tell red from green, too.
        static let light = [Voice(text: "FFC87C"), Voice(text: "8CF08C"), Voice(text: "D6A6FF")]
    }

    init(_ style: JobOptions.CaptionStyle) {
        switch style {
        // Sun yellow on an outline, aqua on a box: each is the stronger contrast there.
        case .classic:
            typeface = .dejaVu
            spoken = "47B3FF"
        case .plain: typeface = .dejaVu
        case .boxed:
            typeface = .dejaVu
            isBoxed = true
            frame = 18
            spoken = "BFD42D"
            // Sun, periwinkle and peach: sky and spring would be near to aqua.
            voices = [Voice(text: "66D1FF"), Voice(text: "FFC0B3"), Voice(text: "9EB0FF")]
        case .pop:
            typeface = .latoBlack
            sizeShare = 1.34
            frame = 8
            outline = "2E1420"
            emphasis = "3DE6FF"
            underlay = Underlay(width: 24, blur: 1, usual: nil, spoken: "F0459B", emphasis: nil)
            pops = true
        case .headline:
            typeface = .bebasNeue
            sizeShare = 1.72
            frame = 6
            shadow = 6
            spacing = 1
            outline = "101010"
            spoken = "00D6FF"
            emphasis = "6B8CFF"
            // A green that who cannot tell it from red does not take for the coral of what matters.
            voices[1].text = "C0F79A"
            isUppercase = true
        case .neon:
            typeface = .comfortaa
            sizeShare = 1.48
            frame = 4
            shadow = 4
            text = "FFF8F2"
            outline = "F0A000"
            // On a bright picture the glow alone would not carry the letters.
            shade = "301808"
            tintsOutline = true
            underlay = Underlay(width: 11, blur: 15, usual: "FF9600", spoken: "B414F0", emphasis: "3AB414")
            // Tubes of another gas: amber, violet, red.
            voices = [
                Voice(text: text, outline: "005AD6", underlay: "006AFF"),
                Voice(text: text, outline: "FF3D8B", underlay: "FF3D8B"),
                Voice(text: text, outline: "3818D0", underlay: "3818FF"),
            ]
            blur = 1
        }
    }

    /// The same with letters that can show `words`, where its own font is not on this machine or lacks them.
    func able(toShow words: [CaptionWord], with fonts: CaptionFonts) -> CaptionDesign {
        guard typeface != .dejaVu else { return self }
        let isThere = fonts.families.contains(typeface.family)
        guard !isThere || !words.allSatisfy({ typeface.covers($0.text) }) else { return self }
        var design = self
        // As tall as the letters that were meant, by capitals: 0.626 of DejaVu's size.
        design.typeface = .dejaVu
        design.sizeShare = min(1.1, sizeShare)
        design.spacing = 0
        return design
    }
}

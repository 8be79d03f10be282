/// A font that captions are drawn with, and what laying them out has to know of it.
///
/// Advances are read from the `hmtx` tables of Debian's fonts, in thousandths of an em, so that no font file has to be
/// opened. (Others of the same name differ: Google's Lato Black counts a sixth more from ascent to descent.)
/// Letters beyond ASCII are taken for somewhat wide, so that a guess never overflows the picture.
struct Typeface: Hashable, Sendable {
    /// As libass asks fontconfig for it.
    let family: String
    /// Whether the bold face of the family is meant, and not the only one that it has.
    let isBold: Bool
    /// ASS counts a font's size from ascent to descent, as the font's `OS/2` table has them for Windows.
    private let unitsPerEm: Double
    private let ascent: Double
    private let descent: Double
    let capitalsOnly: Bool
    private let alphabets: Set<Alphabet>
    private let ascii: [Int]
    private let widestCapital: Int
    private let other: Int

    /// Writing that a display font may lack. What none of ours has comes from whatever font the machine has for it.
    enum Alphabet: Hashable, Sendable { case latin, latinExtended, greek, cyrillic, rest }

    var emsPerSize: Double { unitsPerEm / (ascent + descent) }
    /// Part of the size that lies below the baseline.
    var descentShare: Double { descent / (ascent + descent) }
    /// A column of a line in shares of the size: the mean advance of running text and a ninth more, so that the letters
    /// of a full line have to be shrunk only now and then.
    var columnShare: Double {
        // Letters and the space, weighed as Spanish and English use them.
        let usual = Array((capitalsOnly ? "EEAAOSNRITLD U CM" : "eeaaosnritld u cm").utf8)
        return Double(usual.reduce(0) { $0 + ascii[Int($1) - 32] }) / Double(usual.count) / 1000 * emsPerSize * 1.11
    }

    /// Width of `text` in pixels at an ASS font size.
    func width(of text: String, fontSize: Double) -> Double {
        var width = 0
        for scalar in text.decomposedScalars { width += advance(scalar) }
        return Double(width) / 1000 * fontSize * emsPerSize
    }

    /// Whether every letter of `text` is in the font.
    func covers(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { !$0.properties.isAlphabetic || alphabets.contains(Alphabet($0)) }
    }

    private func advance(_ scalar: Unicode.Scalar) -> Int {
        if (32...126).contains(scalar.value) { return ascii[Int(scalar.value) - 32] }
        if SpokenText.isFullWidth(scalar) { return 1000 }
        return switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format, .control: 0
        case .spaceSeparator: ascii[0]
        case .uppercaseLetter: widestCapital
        // The long dash and the ellipsis are a whole em.
        case .dashPunctuation, .otherPunctuation: scalar.value > 0x2000 ? 1000 : other
        default: other
        }
    }
}

extension Typeface {
    /// The one that every node has (`fonts-dejavu-core`), with the most alphabets.
    static let dejaVu = Typeface(
        family: "DejaVu Sans", isBold: true, unitsPerEm: 2048, ascent: 1901, descent: 483, capitalsOnly: false,
        alphabets: [.latin, .latinExtended, .greek, .cyrillic, .rest],
        ascii: [
            348, 456, 521, 838, 696, 1002, 872, 306, 457, 457, 523, 838, 380, 415, 380, 365, 696, 696, 696, 696, 696,
            696, 696, 696, 696, 696, 400, 400, 838, 838, 838, 580, 1000, 774, 762, 734, 830, 683, 683, 821, 837, 372,
            372, 775, 637, 995, 837, 850, 733, 850, 770, 720, 682, 812, 774, 1103, 771, 724, 725, 457, 365, 457, 838,
            500, 500, 675, 716, 593, 716, 678, 435, 716, 712, 343, 343, 665, 343, 1042, 712, 687, 716, 716, 493, 595,
            478, 712, 652, 924, 645, 652, 582, 712, 365, 712, 838,
        ], widestCapital: 1000, other: 760)

    /// `fonts-lato`: friendly, and as heavy as letters get before they close.
    static let latoBlack = Typeface(
        family: "Lato Black", isBold: false, unitsPerEm: 2000, ascent: 1974, descent: 426, capitalsOnly: false,
        alphabets: [.latin, .latinExtended, .greek, .cyrillic],
        ascii: [
            231, 292, 418, 580, 580, 836, 734, 218, 281, 281, 425, 580, 240, 374, 239, 479, 580, 580, 580, 580, 580,
            580, 580, 580, 580, 580, 265, 279, 580, 580, 580, 472, 850, 711, 670, 656, 761, 573, 566, 722, 777, 311,
            436, 706, 525, 960, 777, 814, 636, 815, 658, 554, 609, 749, 711, 1065, 690, 670, 609, 320, 479, 320, 580,
            473, 400, 518, 574, 486, 574, 539, 366, 536, 570, 267, 267, 558, 260, 851, 570, 581, 575, 574, 382, 446,
            384, 570, 539, 818, 544, 538, 466, 310, 270, 310, 580,
        ], widestCapital: 1080, other: 700)

    /// `fonts-bebas-neue`: narrow capitals, as on posters.
    static let bebasNeue = Typeface(
        family: "Bebas Neue Bold", isBold: false, unitsPerEm: 1000, ascent: 900, descent: 300, capitalsOnly: true,
        alphabets: [.latin],
        ascii: [
            155, 190, 325, 410, 396, 627, 414, 180, 251, 251, 396, 396, 186, 270, 186, 381, 396, 396, 396, 396, 396,
            396, 396, 396, 396, 396, 186, 186, 396, 396, 396, 360, 689, 407, 406, 386, 408, 368, 344, 390, 427, 190,
            256, 414, 339, 541, 427, 396, 382, 396, 402, 374, 356, 398, 402, 563, 430, 396, 370, 251, 381, 251, 396,
            500, 250, 407, 406, 386, 408, 368, 344, 390, 427, 190, 256, 414, 339, 541, 427, 396, 377, 396, 402, 374,
            356, 398, 402, 563, 430, 396, 370, 257, 500, 257, 396,
        ], widestCapital: 600, other: 430)

    /// `fonts-comfortaa`: strokes of one width with round ends, like a bent tube.
    static let comfortaa = Typeface(
        family: "Comfortaa", isBold: true, unitsPerEm: 1000, ascent: 1285, descent: 276, capitalsOnly: false,
        alphabets: [.latin, .greek, .cyrillic],
        ascii: [
            293, 288, 273, 717, 636, 859, 731, 156, 273, 273, 381, 547, 245, 391, 238, 469, 578, 393, 588, 599, 653,
            629, 581, 547, 581, 581, 195, 195, 547, 508, 547, 547, 1094, 703, 723, 777, 783, 700, 625, 777, 871, 304,
            626, 667, 642, 982, 830, 921, 623, 921, 632, 688, 661, 845, 737, 938, 716, 670, 742, 321, 469, 321, 469,
            469, 273, 675, 703, 601, 703, 621, 367, 675, 683, 302, 287, 569, 300, 938, 682, 675, 703, 703, 486, 543,
            401, 682, 548, 728, 557, 539, 540, 391, 391, 391, 469,
        ], widestCapital: 1160, other: 800)

    static let all: [Typeface] = [.dejaVu, .latoBlack, .bebasNeue, .comfortaa]
}

extension Typeface.Alphabet {
    init(_ scalar: Unicode.Scalar) {
        switch scalar.value {
        case 0...0x17F: self = .latin
        // Vietnamese, Azeri, African languages.
        case 0x180...0x2AF, 0x1E00...0x1EFF: self = .latinExtended
        case 0x370...0x3FF: self = .greek
        case 0x400...0x45F, 0x490...0x491: self = .cyrillic
        default: self = .rest
        }
    }
}

extension String {
    /// Accented letters as letter and accent, where the font's advance is that of the letter.
    fileprivate var decomposedScalars: some Sequence<Unicode.Scalar> {
        lazy.flatMap { character -> [Unicode.Scalar] in
            let scalars = Array(character.unicodeScalars)
            guard scalars.count == 1, let first = scalars.first, (0xC0...0x17F).contains(first.value) else {
                return scalars
            }
            let base = SpokenText.fold(String(character))
            let isUpper = first.properties.generalCategory == .uppercaseLetter
            return Array((isUpper ? base.uppercased() : base).unicodeScalars)
        }
    }
}

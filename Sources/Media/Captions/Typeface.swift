/// A font that captions are drawn with, and what laying them out has to know of it.
///
/// Advances are read from the fonts' `hmtx` tables, in thousandths of an em, so that no font file has to be opened.
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
    enum Alphabet: Hashable, Sendable { case latin, greek, cyrillic, rest }

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
        alphabets: [.latin, .greek, .cyrillic, .rest],
        ascii: [
            348, 456, 521, 838, 696, 1002, 872, 306, 457, 457, 523, 838, 380, 415, 380, 365, 696, 696, 696, 696, 696,
            696, 696, 696, 696, 696, 400, 400, 838, 838, 838, 580, 1000, 774, 762, 734, 830, 683, 683, 821, 837, 372,
            372, 775, 637, 995, 837, 850, 733, 850, 770, 720, 682, 812, 774, 1103, 771, 724, 725, 457, 365, 457, 838,
            500, 500, 675, 716, 593, 716, 678, 435, 716, 712, 343, 343, 665, 343, 1042, 712, 687, 716, 716, 493, 595,
            478, 712, 652, 924, 645, 652, 582, 712, 365, 712, 838,
        ], widestCapital: 1000, other: 760)

    /// `fonts-lato`: friendly, and as heavy as letters get before they close.
    static let latoBlack = Typeface(
        family: "Lato Black", isBold: false, unitsPerEm: 2000, ascent: 2233, descent: 599, capitalsOnly: false,
        alphabets: [.latin, .greek, .cyrillic],
        ascii: [
            238, 286, 406, 580, 580, 827, 728, 214, 278, 278, 425, 580, 236, 374, 238, 472, 580, 580, 580, 580, 580,
            580, 580, 580, 580, 580, 261, 274, 580, 580, 580, 465, 846, 702, 664, 659, 761, 574, 566, 724, 774, 303,
            432, 695, 522, 952, 774, 811, 627, 812, 650, 551, 604, 746, 702, 1058, 680, 658, 607, 316, 472, 316, 580,
            470, 400, 512, 571, 484, 571, 536, 362, 532, 567, 260, 260, 546, 254, 844, 567, 578, 571, 570, 377, 442,
            378, 566, 533, 810, 532, 532, 462, 308, 265, 308, 580,
        ], widestCapital: 1080, other: 700)

    /// `fonts-bebas-neue`: narrow capitals, as on posters.
    static let bebasNeue = Typeface(
        family: "Bebas Neue", isBold: false, unitsPerEm: 1000, ascent: 950, descent: 350, capitalsOnly: true,
        alphabets: [.latin],
        ascii: [
            160, 210, 336, 412, 400, 589, 417, 188, 276, 276, 422, 400, 188, 270, 188, 389, 400, 400, 400, 400, 400,
            400, 400, 400, 400, 400, 188, 188, 400, 400, 400, 363, 696, 401, 404, 383, 406, 363, 344, 391, 420, 192,
            265, 414, 344, 538, 427, 400, 386, 400, 403, 372, 364, 402, 382, 557, 406, 394, 362, 276, 389, 276, 400,
            300, 500, 401, 404, 383, 406, 363, 344, 391, 420, 192, 265, 414, 344, 538, 427, 400, 386, 400, 403, 372,
            364, 402, 382, 557, 406, 394, 362, 276, 500, 276, 400,
        ], widestCapital: 580, other: 430)

    /// `fonts-comfortaa`: strokes of one width with round ends, like a bent tube.
    static let comfortaa = Typeface(
        family: "Comfortaa", isBold: true, unitsPerEm: 1000, ascent: 1285, descent: 332, capitalsOnly: false,
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
        case 0...0x2AF, 0x1E00...0x1EFF: self = .latin
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

/// How wide text gets in DejaVu Sans Bold, the font that captions are drawn with.
///
/// Read from the font's `hmtx` table, in thousandths of an em. Other scripts come from whatever font the machine has
/// for them; they are taken for somewhat wide, so that a guess never overflows the picture.
enum FontMetrics {
    static let family = "DejaVu Sans"
    /// ASS counts a font's size from ascent to descent, 2384 of 2048 units here.
    static let emsPerSize = 2048.0 / 2384
    /// Part of the size that lies below the baseline: 483 of 2384 units.
    static let descentShare = 483.0 / 2384

    /// Width of `text` in pixels at an ASS font size.
    static func width(of text: String, fontSize: Double) -> Double {
        var width = 0
        for scalar in text.decomposedScalars { width += advance(scalar) }
        return Double(width) / 1000 * fontSize * emsPerSize
    }

    private static func advance(_ scalar: Unicode.Scalar) -> Int {
        if (32...126).contains(scalar.value) { return ascii[Int(scalar.value) - 32] }
        if SpokenText.isFullWidth(scalar) { return 1000 }
        return switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format, .control: 0
        case .uppercaseLetter: 1000
        // The long dash and the ellipsis are a whole em.
        case .dashPunctuation, .otherPunctuation: scalar.value > 0x2000 ? 1000 : 760
        default: 760
        }
    }

    /// From the space to the tilde.
    private static let ascii = [
        348, 456, 521, 838, 696, 1002, 872, 306, 457, 457, 523, 838, 380, 415, 380, 365, 696, 696, 696, 696, 696, 696,
        696, 696, 696, 696, 400, 400, 838, 838, 838, 580, 1000, 774, 762, 734, 830, 683, 683, 821, 837, 372, 372, 775,
        637, 995, 837, 850, 733, 850, 770, 720, 682, 812, 774, 1103, 771, 724, 725, 457, 365, 457, 838, 500, 500, 675,
        716, 593, 716, 678, 435, 716, 712, 343, 343, 665, 343, 1042, 712, 687, 716, 716, 493, 595, 478, 712, 652, 924,
        645, 652, 582, 712, 365, 712, 838,
    ]
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

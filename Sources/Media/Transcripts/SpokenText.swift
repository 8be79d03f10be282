import Foundation

/// How words become text and text becomes comparable, for any script: shared by sentences, titles and captions.
package enum SpokenText {
    /// Joins words as they are written: with spaces, but none where the script has none or before loose punctuation.
    package static func join(_ words: some Sequence<String>) -> String {
        var text = ""
        var previous: String?
        for word in words {
            if let previous, isSpaced(previous, word) { text += " " }
            text += word
            previous = word
        }
        return text
    }

    /// Whether a space stands between two words.
    static func isSpaced(_ left: String, _ right: String) -> Bool {
        guard let last = left.unicodeScalars.last, let first = right.unicodeScalars.first else { return false }
        if isUnspaced(last), isUnspaced(first) { return false }
        return !isOpening(Character(last)) && !attachesToPrevious(right)
    }

    /// Lower case without accents and compatibility ligatures, so that `Énfasis`, `enfasis` and `ÉNFASIS` are one word.
    ///
    /// Only the combining marks of Latin, Greek and Cyrillic are dropped: the vowel signs of Indic scripts are letters.
    package static func fold(_ text: String) -> String {
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.lowercased() }
        var folded = String.UnicodeScalarView()
        for scalar in text.lowercased().decomposedStringWithCanonicalMapping.unicodeScalars {
            switch scalar {
            case "\u{300}"..."\u{36F}", "\u{AD}", "\u{200B}"..."\u{200F}", "\u{2060}", "\u{FEFF}": break
            case "ß": folded.append(contentsOf: "ss".unicodeScalars)
            case "æ": folded.append(contentsOf: "ae".unicodeScalars)
            case "œ": folded.append(contentsOf: "oe".unicodeScalars)
            case "ø": folded.append("o")
            case "ł": folded.append("l")
            case "đ": folded.append("d")
            case "ı": folded.append("i")
            default: folded.append(scalar)
            }
        }
        return String(folded).precomposedStringWithCanonicalMapping
    }

    /// The letters and digits of `text`, folded: what is left when punctuation and apostrophes are gone.
    static func foldedCore(_ text: String) -> String {
        let folded = fold(text)
        if folded.utf8.allSatisfy(isLowerASCIIAlphanumeric) { return folded }
        var core = String.UnicodeScalarView()
        for scalar in folded.unicodeScalars where isWordScalar(scalar) { core.append(scalar) }
        return String(core)
    }

    /// Letters, digits and the marks that belong to letters.
    static func isWordScalar(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return isLowerASCIIAlphanumeric(UInt8(scalar.value)) || ("A"..."Z").contains(scalar) }
        return switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
        case .decimalNumber, .letterNumber, .otherNumber, .nonspacingMark, .spacingMark: true
        default: false
        }
    }

    /// Scripts that are written without spaces between words.
    static func isUnspaced(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x0E00...0x0EFF, 0x1000...0x109F, 0x1780...0x17FF: true  // Thai, Lao, Burmese, Khmer
        case 0x2E80...0x30FF, 0x31F0...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF: true  // Han, kana, CJK punctuation
        case 0xFF00...0xFF9F, 0x20000...0x3FFFF: true  // full-width forms, rarer Han
        default: false
        }
    }

    /// Han, kana, Hangul and full-width forms: each takes a whole square of the line.
    static func isFullWidth(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0x4DBF, 0x4E00...0x9FFF, 0xAC00...0xD7A3, 0xF900...0xFAFF: true
        case 0xFE30...0xFE4F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFF: true
        default: false
        }
    }

    static func isRightToLeft(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x0590...0x08FF, 0xFB1D...0xFDFF, 0xFE70...0xFEFC, 0x10800...0x10FFF, 0x1E800...0x1EFFF: true
        default: false
        }
    }

    /// Marks that end a sentence in the scripts we meet.
    static func endsSentence(_ character: Character) -> Bool {
        switch character {
        case ".", "!", "?", "…", "。", "！", "？", "｡", "؟", "۔", "।", "॥", "။", "។", "‽": true
        default: false
        }
    }

    static func isQuestionMark(_ character: Character) -> Bool {
        character == "?" || character == "？" || character == "؟"
    }

    /// Commas and their like: where a long sentence may be taken apart.
    static func endsClause(_ character: Character) -> Bool {
        switch character {
        case ",", ";", ":", "—", "–", "，", "、", "；", "：", "،", "؛": true
        default: false
        }
    }

    /// Quotes and brackets that may follow the mark that ends a sentence.
    static func isClosing(_ character: Character) -> Bool {
        switch character {
        case "\"", "'", "”", "’", "»", "›", ")", "]", "}", "」", "』", "）", "】", "》", "*": true
        default: false
        }
    }

    /// Marks that stand before a word without a space.
    static func isOpening(_ character: Character) -> Bool {
        switch character {
        case "¿", "¡", "(", "[", "{", "«", "“", "‘", "‹", "「", "『", "（", "【", "《": true
        default: false
        }
    }

    /// The last character of `word` that is neither a closing quote nor a bracket.
    static func lastMark(of word: String) -> Character? { word.last { !isClosing($0) } }

    /// Text that is all marks and belongs to the word before it: `,` `...` `%` `»`.
    static func attachesToPrevious(_ word: String) -> Bool {
        guard let first = word.first else { return true }
        if word.contains(where: { $0.unicodeScalars.contains(where: isWordScalar) }) {
            // Recognisers split "it's", "3.5" and "50-year"; a dash before a digit may be a minus.
            guard first == "'" || first == "’" || first == "." || first == "," || first == "-" else { return false }
            guard let second = word.dropFirst().first else { return false }
            return first == "." || first == "," ? second.isNumber : second.isLetter
        }
        return word.allSatisfy { endsSentence($0) || endsClause($0) || isClosing($0) || $0 == "%" || $0 == "º" }
    }

    private static func isLowerASCIIAlphanumeric(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}

/// Light stemmers: strip inflection, never meaning. They work on folded text (lower case, no accents).
///
/// Source of the rules: the light stemmers of J. Savoy (Spanish, Portuguese) and D. Harman's S-stemmer with the two
/// commonest verb endings (English). Full Porter stemming conflates too much for keywords ("universe", "university").
package enum Stemmer {
    package static func stem(_ word: String, language: String) -> String {
        guard word.utf8.count > 3, word.utf8.allSatisfy({ (97...122).contains($0) }) else { return word }
        switch language {
        case "en": return english(Array(word.utf8))
        case "es": return spanish(Array(word.utf8))
        case "pt": return portuguese(Array(word.utf8))
        default: return word
        }
    }

    private static func english(_ word: [UInt8]) -> String {
        var word = word
        if ends(word, "ies"), word.count > 4 {
            word.removeLast(3)
            word += Array("y".utf8)
        } else if ends(word, "es"), ["sses", "shes", "ches", "xes", "zes"].contains(where: { ends(word, $0) }) {
            word.removeLast(2)
        } else if ends(word, "s"), !ends(word, "ss"), !ends(word, "us"), !ends(word, "is") {
            word.removeLast()
        }
        if ends(word, "ing"), word.count > 5 {
            word.removeLast(3)
            undouble(&word)
        } else if ends(word, "ed"), word.count > 4 {
            word.removeLast(2)
            undouble(&word)
        }
        if word.count > 3, word.last == UInt8(ascii: "e") { word.removeLast() }
        return text(word)
    }

    private static func spanish(_ word: [UInt8]) -> String {
        var word = word
        if ends(word, "eses"), word.count > 5 {
            word.removeLast(2)
        } else if ends(word, "ces"), word.count > 4 {
            word.removeLast(3)
            word.append(UInt8(ascii: "z"))
        } else if ends(word, "es"), word.count > 4 {
            word.removeLast(2)
        } else if ends(word, "s"), word.count > 3 {
            word.removeLast()
        }
        if let last = word.last, word.count > 3,
            last == UInt8(ascii: "o") || last == UInt8(ascii: "a")
                || last == UInt8(ascii: "e")
        {
            word.removeLast()
        }
        return text(word)
    }

    private static func portuguese(_ word: [UInt8]) -> String {
        var word = word
        // Accents are folded away already: "ções" and "ção" arrive as "coes" and "cao".
        if ends(word, "oes") || ends(word, "aes"), word.count > 4 {
            word.removeLast(3)
            word += Array("ao".utf8)
        } else if ends(word, "ais") || ends(word, "eis") || ends(word, "ois"), word.count > 4 {
            word.removeLast(2)
            word.append(UInt8(ascii: "l"))
        } else if ends(word, "res") || ends(word, "zes"), word.count > 4 {
            word.removeLast(2)
        } else if ends(word, "ns"), word.count > 3 {
            word.removeLast(2)
            word.append(UInt8(ascii: "m"))
        } else if ends(word, "s"), word.count > 3 {
            word.removeLast()
        }
        if let last = word.last, word.count > 3, !ends(word, "ao"),
            last == UInt8(ascii: "o")
                || last == UInt8(ascii: "a") || last == UInt8(ascii: "e")
        {
            word.removeLast()
        }
        return text(word)
    }

    /// "running" -> "runn" -> "run", but "telling" stays "tell".
    private static func undouble(_ word: inout [UInt8]) {
        guard word.count > 3, let last = word.last, word[word.count - 2] == last else { return }
        if last == UInt8(ascii: "l") || last == UInt8(ascii: "s") || last == UInt8(ascii: "z") { return }
        word.removeLast()
    }

    private static func ends(_ word: [UInt8], _ suffix: String) -> Bool {
        word.count >= suffix.utf8.count && word.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
    }

    private static func text(_ word: [UInt8]) -> String { String(decoding: word, as: UTF8.self) }
}

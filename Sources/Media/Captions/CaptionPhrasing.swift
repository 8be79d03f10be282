/// Where words may be parted, by what is known of a language: between lines, and between what is shown at one time.
///
/// After the guides of broadcasters (BBC Subtitle Guidelines; Netflix Timed Text Style Guide, "line treatment"): an
/// article stays with its noun, a preposition with its phrase, a conjunction with what follows, a number with its unit.
struct CaptionPhrasing: Hashable, Sendable {
    private let leaning: Set<String>
    private let abbreviations: Set<String>
    /// Whether there are lists for the language. Without, short words are taken for such that lean on the next.
    let isKnown: Bool

    init(language: String) {
        let words = Self.leaning[String(language.prefix(2))]
        leaning = Set((words ?? "").split(whereSeparator: \.isWhitespace).map(String.init))
        abbreviations = LanguageProfile.named(language).abbreviations
        isKnown = words != nil
    }

    /// Whether `word` belongs to the one after it: "the", "de", "muy", and a number to what it counts.
    func leans(_ word: String) -> Bool {
        word.last?.isNumber ?? false || leaning.contains(Self.core(word))
    }

    /// "Sr.", "Dr.": the stop ends no sentence.
    func isAbbreviation(_ word: String) -> Bool {
        word.hasSuffix(".") && abbreviations.contains(SpokenText.foldedCore(word))
    }

    /// Whether nothing may come between the two: the rules of numbers everywhere, and of line ends in Chinese and
    /// Japanese (kinsoku shori, JIS X 4051).
    func keepsTogether(_ left: String, _ right: String) -> Bool {
        guard let last = left.last, let first = right.first else { return false }
        if Self.neverFirst.contains(first) || Self.neverLast.contains(last) { return true }
        if isAbbreviation(left), right.first(where: \.isLetter)?.isUppercase ?? false { return true }
        guard last.isNumber else { return false }
        if first.isNumber {
            // 10 000 and 12 - 15; two numbers of other kinds may be parted.
            return right.prefix { $0.isNumber }.count == 3 && left.count <= 3
        }
        return Self.units.contains(SpokenText.foldedCore(right)) || first == "%" || first == "°"
    }

    /// Letters as they are written, so that "el" and "él" differ, without marks.
    private static func core(_ word: String) -> String {
        String(String.UnicodeScalarView(word.lowercased().unicodeScalars.filter(SpokenText.isWordScalar)))
    }

    private static let neverFirst = Set(
        "、。，．：；！？）」』】〉》〕］｝ー〜々ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ・…‥％”’»%)]}")
    private static let neverLast = Set("（「『【〈《〔［｛＄￥“‘«¿¡([{$€£")

    private static let units = Set(
        """
        km m cm mm kg g mg l ml h min s hz khz mhz ghz kb mb gb tb px kw kwh mph kmh am pm euros euro dolares dolar
        dollars dollar pesos reais real mil millon millones million millions milhao milhoes billion billions thousand
        hundred percent grados degrees anos ano years year veces times vezes
        """.split(whereSeparator: \.isWhitespace).map(String.init))

    private static let leaning = [
        "en": """
        the a an of in on at to for from with by about into over under after before between through without and
        or but nor that which who my your his her its our their this these those not no very more most so as if
        when because is are was were am be been have has had will would can could should must do does did i you he
        she it we they
        """,
        "es": """
        el la los las un una unos unas lo al del a ante bajo con contra de desde durante en entre hacia hasta para
        por según sin sobre tras y e o u ni que mi mis tu tus su sus nuestro nuestra nuestros nuestras este esta
        estos estas ese esa esos esas no muy más tan cada se me te le les nos si como cuando porque pero es son
        ha han he
        """,
        "pt": """
        o a os as um uma uns umas ao aos à às do da dos das no na nos nas num numa pelo pela pelos pelas de em por
        para com sem sobre entre até desde e ou nem que meu minha meus minhas seu sua seus suas nosso nossa este
        esta esse essa não muito mais tão se me te lhe eu você ele ela como quando porque mas é são foi
        """,
        "fr": """
        le la les l un une des du de d à au aux en dans sur sous avec sans pour par chez entre et ou ni que qui
        mon ma mes ton ta tes son sa ses notre nos votre vos leur leurs ce cet cette ces ne pas très plus je tu il elle
        on nous vous ils elles est sont
        """,
        "it": """
        il lo la i gli le un uno una di a da in con su per tra fra del dello della dei degli delle al allo alla ai
        agli alle dal dalla nel nella nei sul sulla e o ma che mio mia tuo tua suo sua questo questa non molto più
        si mi ti ci vi è sono
        """,
        "de": """
        der die das den dem des ein eine einen einem einer eines in im an am auf aus bei mit nach von vom zu zum
        zur für über unter vor ohne und oder aber dass mein meine dein deine sein seine ihr ihre unser nicht kein
        keine sehr mehr ich du er sie es wir ist sind
        """,
        "ar": "في من على إلى عن مع هذا هذه ذلك تلك أن إن ما لا لم لن كل بين حتى قد هو هي",
        "he": "של את על עם אל לא כל זה זו הוא היא אני אם כי גם או",
    ]
}

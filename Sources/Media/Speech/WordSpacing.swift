import ClipModel

/// Evens out words that were squeezed to nothing beside one that was stretched.
///
/// Where the model's attention lags, it stays on one word and then runs through the next few at once: "began" gets a
/// second, "to listen more and" get none. The stretch as a whole is right, so its words share it by their length.
enum WordSpacing {
    /// Of the window's own pace.
    private static let squeezedBelow = 0.35
    private static let stretchedAbove = 1.7
    /// How far from a squeezed word a stretched one is looked for.
    private static let reachWords = 7
    /// A longer gap between words is the end of a phrase, over which attention does not lag.
    private static let pauseSecondsMin = 0.25

    static func evened(_ words: [Word]) -> [Word] {
        guard words.count > 4 else { return words }
        let paces = words.map { $0.range.duration / weight($0) }.sorted()
        let pace = paces[paces.count / 2]
        guard pace > 0 else { return words }
        var words = words
        var index = 0
        while index < words.count {
            guard words[index].range.duration < squeezedBelow * pace * weight(words[index]),
                let stretch = stretch(around: index, in: words, pace: pace)
            else {
                index += 1
                continue
            }
            share(stretch, of: &words)
            index = max(index, stretch.upperBound) + 1
        }
        return words
    }

    /// From the nearest stretched word before it to the squeezed one at `index`, and those squeezed with it. Attention
    /// lags, it does not run ahead: a stretched word after it is somebody speaking slowly.
    private static func stretch(around index: Int, in words: [Word], pace: Double) -> ClosedRange<Int>? {
        func isTogether(_ left: Int) -> Bool { words[left + 1].start - words[left].end < pauseSecondsMin }
        func isSqueezed(_ index: Int) -> Bool {
            words[index].range.duration < squeezedBelow * pace * weight(words[index])
        }
        func isStretched(_ index: Int) -> Bool {
            words[index].range.duration > stretchedAbove * pace * weight(words[index])
        }
        var last = index
        while last + 1 < words.count, isTogether(last), isSqueezed(last + 1) { last += 1 }
        var first = index
        while first > 0, index - first < reachWords, isTogether(first - 1) {
            first -= 1
            if isStretched(first) { return first...last }
        }
        return nil
    }

    private static func share(_ stretch: ClosedRange<Int>, of words: inout [Word]) {
        let (start, end) = (words[stretch.lowerBound].start, words[stretch.upperBound].end)
        let total = words[stretch].reduce(0) { $0 + weight($1) }
        var done = 0.0
        for index in stretch {
            words[index].start = start + (end - start) * done / total
            done += weight(words[index])
            words[index].end = start + (end - start) * done / total
        }
    }

    /// How long a word takes, in letters: a short one has its beat too.
    private static func weight(_ word: Word) -> Double {
        2 + Double(word.text.filter { $0.isLetter || $0.isNumber }.count)
    }
}

import ClipModel

/// Where speech leaves a clip something to cut out: pauses that are long and silent, and fillers.
struct SpeechPauses {
    /// In order, apart from each other.
    private(set) var stretches: [LooseStretch] = []

    private let limits: Tightening.Limits
    private let clipSeconds: Double
    /// In clip time.
    private let silences: [TimeRange]
    private let reactions: [TimeRange]

    init(_ text: SpeechText, curves: SoundCurves, clip: TimeRange, limits: Tightening.Limits) {
        self.limits = limits
        clipSeconds = clip.duration
        func local(_ range: TimeRange) -> TimeRange? {
            range.clamped(to: clip).map { TimeRange(start: $0.start - clip.start, end: $0.end - clip.start) }
        }
        silences = curves.silences.compactMap(local)
        reactions = SoundProfile(curves, text: text).reactions.compactMap { reaction in
            local(
                TimeRange(
                    start: seconds(reaction.lowerBound) - limits.reactionSeconds,
                    end: seconds(reaction.upperBound) + limits.reactionSeconds))
        }
        let isFiller = Self.fillers(text, limits)
        let spoken = text.words.indices.filter { !isFiller[$0] }
        func isInside(_ index: Int) -> Bool {
            let middle = seconds(text.words[index].start + text.words[index].end) / 2
            return clip.contains(middle)
        }
        // Where nobody speaks silence is no pause of speech.
        guard spoken.contains(where: isInside) else { return }
        for (before, after) in zip([nil] + spoken.map(Optional.some), spoken.map(Optional.some) + [nil]) {
            let start = before.map { seconds(text.words[$0].end) - clip.start } ?? 0
            let end = after.map { seconds(text.words[$0].start) - clip.start } ?? clipSeconds
            guard start < clipSeconds, end > 0, start < end else { continue }
            let room = TimeRange(start: max(0, start), end: min(clipSeconds, end))
            guard room.duration > 0 else { continue }
            let fillers = ((before ?? -1) + 1..<(after ?? text.words.count)).compactMap { index in
                local(TimeRange(start: seconds(text.words[index].start), end: seconds(text.words[index].end)))
            }
            let rest =
                before.map { Self.endsSentence(text.words[$0].text) } ?? false
                ? limits.sentenceRestSeconds : limits.restSeconds
            stretches += pieces(in: room, fillers: fillers).compactMap { piece in
                stretch(piece, in: room, rest: rest, opens: start <= 0, ends: end >= clipSeconds)
            }
        }
    }

    // MARK: Fillers

    /// Of each word whether it is one.
    private static func fillers(_ text: SpeechText, _ limits: Tightening.Limits) -> [Bool] {
        let list = FillerWords(language: text.profile.language)
        let (alone, apart) = (milliseconds(limits.aloneSecondsMin), milliseconds(limits.apartSecondsMin))
        var isFiller = text.words.indices.map { index in
            switch list.kind(text.words[index].text, plain: text.words[index].plain) {
            case nil: false
            case .sound: true
            case .word:
                text.gap(before: index) >= alone && text.gap(after: index) >= alone && !isSentence(index, text)
            }
        }
        // Those that follow each other are one, which must be apart from the words around it.
        var index = 0
        while index < isFiller.count {
            guard isFiller[index] else {
                index += 1
                continue
            }
            var end = index + 1
            while end < isFiller.count, isFiller[end] { end += 1 }
            if text.gap(before: index) < apart || text.gap(after: end - 1) < apart {
                for word in index..<end { isFiller[word] = false }
            }
            index = end
        }
        return isFiller
    }

    /// "É." answers a question; "este..." does not.
    private static func isSentence(_ index: Int, _ text: SpeechText) -> Bool {
        let begins = index == 0 || endsSentence(text.words[index - 1].text)
        let own = text.words[index].text
        return begins && endsSentence(own) && !own.hasSuffix("...") && !own.hasSuffix("…")
    }

    private static func endsSentence(_ word: String) -> Bool {
        SpokenText.lastMark(of: word).map(SpokenText.endsSentence) ?? false
    }

    // MARK: Pauses

    private struct Piece {
        var range: TimeRange
        /// From the first to the last that is in it.
        var filler: TimeRange?
    }

    /// What of `room`, which lies between two words, is silent or filled, in order.
    private func pieces(in room: TimeRange, fillers: [TimeRange]) -> [Piece] {
        let silent = silences.compactMap { $0.clamped(to: room) }.flatMap { Self.without(reactions, $0) }
        let all = silent.map { Piece(range: $0) } + fillers.map { Piece(range: $0, filler: $0) }
        var joined: [Piece] = []
        for piece in all.sorted(by: { ($0.range.start, $0.range.end) < ($1.range.start, $1.range.end) }) {
            guard let last = joined.last,
                piece.range.start - last.range.end
                    <= (last.filler == nil && piece.filler == nil ? 0 : limits.bridgeSecondsMax)
            else {
                joined.append(piece)
                continue
            }
            let range = TimeRange(start: last.range.start, end: max(last.range.end, piece.range.end))
            let filler = last.filler.map { one in
                TimeRange(start: one.start, end: max(one.end, piece.filler?.end ?? one.end))
            }
            joined[joined.count - 1] = Piece(range: range, filler: filler ?? piece.filler)
        }
        return joined.compactMap { piece in
            guard piece.filler != nil else { return piece }
            let (first, last) = (piece.range.start - room.start, room.end - piece.range.end)
            let range = TimeRange(
                start: first <= limits.bridgeSecondsMax ? room.start : piece.range.start,
                end: last <= limits.bridgeSecondsMax ? room.end : piece.range.end)
            return reactions.contains { $0.overlap(range) > 0 } ? nil : Piece(range: range, filler: piece.filler)
        }
    }

    /// `opens` and `ends`: nothing of the clip is said before `room`, or after it.
    private func stretch(
        _ piece: Piece, in room: TimeRange, rest: Double, opens: Bool, ends: Bool
    ) -> LooseStretch? {
        let opens = opens && piece.range.start <= 0, ends = ends && piece.range.end >= clipSeconds
        var (before, after) = (rest / 2, rest / 2)
        // The first word needs a moment, and the last one a breath; nothing is on the other side of them.
        if opens { (before, after) = (0, limits.restSeconds) }
        if ends { (before, after) = (limits.sentenceRestSeconds, 0) }
        if let filler = piece.filler {
            before = min(before, (filler.start - piece.range.start) / 2)
            after = min(after, (piece.range.end - filler.end) / 2)
        } else if piece.range.duration <= limits.pauseSecondsMax {
            return nil
        }
        let (start, end) = (piece.range.start + before, piece.range.end - after)
        guard end - start >= (piece.filler == nil ? limits.cutSecondsMin : 0), start < end else { return nil }
        return LooseStretch(
            cut: TimeRange(start: start, end: end), room: piece.range, filler: piece.filler, opens: opens, ends: ends)
    }

    private static func without(_ holes: [TimeRange], _ range: TimeRange) -> [TimeRange] {
        var left = [range]
        for hole in holes {
            left = left.flatMap { part -> [TimeRange] in
                guard hole.overlap(part) > 0 else { return [part] }
                return [
                    part.start < hole.start ? TimeRange(start: part.start, end: hole.start) : nil,
                    hole.end < part.end ? TimeRange(start: hole.end, end: part.end) : nil,
                ].compactMap(\.self)
            }
        }
        return left
    }
}

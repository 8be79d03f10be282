import Membership

// On the wire a batch and its reply are columns: one list for each field, and the rare fields only where they are set.
// Five hundred records of five fields cost a millisecond to write and to read; six lists of numbers and texts cost a
// twentieth.

/// Columns that do not fit together.
private func columnsDisagree(_ decoder: any Decoder) -> DecodingError {
    .dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "columns of different lengths"))
}

extension CheckBatch: Codable {
    private enum CodingKeys: String, CodingKey {
        case sender, policies
        case policy, subject, quantity, count, wish
        case backPolicy, backSubject, backNumber, backUnspent
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let policy = try container.decode([Int].self, forKey: .policy)
        let subject = try container.decode([String].self, forKey: .subject)
        let quantity = try container.decode([Int].self, forKey: .quantity)
        let count = try container.decode([Int].self, forKey: .count)
        let wish = try container.decode([Int].self, forKey: .wish)
        guard [subject.count, quantity.count, count.count, wish.count].allSatisfy({ $0 == policy.count }) else {
            throw columnsDisagree(decoder)
        }
        let backPolicy = try container.decode([Int].self, forKey: .backPolicy)
        let backSubject = try container.decode([String].self, forKey: .backSubject)
        let backNumber = try container.decode([UInt64].self, forKey: .backNumber)
        let backUnspent = try container.decode([Int].self, forKey: .backUnspent)
        guard [backSubject.count, backNumber.count, backUnspent.count].allSatisfy({ $0 == backPolicy.count }) else {
            throw columnsDisagree(decoder)
        }
        self.init(
            sender: try container.decode(MemberID.self, forKey: .sender),
            policies: try container.decode([String].self, forKey: .policies),
            items: policy.indices.map {
                Item(
                    policy: policy[$0], subject: subject[$0], quantity: quantity[$0], count: count[$0], wish: wish[$0])
            },
            returns: backPolicy.indices.map {
                Return(
                    policy: backPolicy[$0], subject: backSubject[$0], number: backNumber[$0], unspent: backUnspent[$0])
            })
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(sender, forKey: .sender)
        try container.encode(policies, forKey: .policies)
        try container.encode(items.map(\.policy), forKey: .policy)
        try container.encode(items.map(\.subject), forKey: .subject)
        try container.encode(items.map(\.quantity), forKey: .quantity)
        try container.encode(items.map(\.count), forKey: .count)
        try container.encode(items.map(\.wish), forKey: .wish)
        try container.encode(returns.map(\.policy), forKey: .backPolicy)
        try container.encode(returns.map(\.subject), forKey: .backSubject)
        try container.encode(returns.map(\.number), forKey: .backNumber)
        try container.encode(returns.map(\.unspent), forKey: .backUnspent)
    }
}

extension CheckReply: Codable {
    private enum CodingKeys: String, CodingKey {
        case kind, admitted, remaining, retryAfter, resetAfter
        case slicePlace, sliceNumber, sliceUnits, sliceLease
        case ownerPlace, owner
    }

    /// What stands in `kind`. A number that a later release adds is read as `invalid`.
    private enum Kind: Int {
        case decided = 0, elsewhere, unknownPolicy, invalid
        /// As `decided`, where a refusal is for ever.
        case never
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let kind = try container.decode([Int].self, forKey: .kind)
        let admitted = try container.decode([Int].self, forKey: .admitted)
        let remaining = try container.decode([Int].self, forKey: .remaining)
        let retryAfter = try container.decode([Int64].self, forKey: .retryAfter)
        let resetAfter = try container.decode([Int64].self, forKey: .resetAfter)
        guard [admitted.count, remaining.count, retryAfter.count, resetAfter.count].allSatisfy({ $0 == kind.count })
        else { throw columnsDisagree(decoder) }
        var answers = kind.indices.map { place -> ItemAnswer in
            let kind = Kind(rawValue: kind[place])
            switch kind {
            case .decided, .never:
                return .decided(
                    ItemDecision(
                        admitted: admitted[place], remaining: remaining[place],
                        retryAfter: kind == .never ? nil : retryAfter[place], resetAfter: resetAfter[place]))
            case .elsewhere: return .elsewhere(owner: nil)
            case .unknownPolicy: return .unknownPolicy
            case .invalid, nil: return .invalid
            }
        }
        for (place, slice) in try Self.slices(container) where answers.indices.contains(place) {
            guard case .decided(var decision) = answers[place] else { continue }
            decision.slice = slice
            answers[place] = .decided(decision)
        }
        let owner = try container.decode([MemberID].self, forKey: .owner)
        for (place, owner) in zip(try container.decode([Int].self, forKey: .ownerPlace), owner)
        where answers.indices.contains(place) {
            if case .elsewhere = answers[place] { answers[place] = .elsewhere(owner: owner) }
        }
        self.init(answers: answers)
    }

    private static func slices(
        _ container: KeyedDecodingContainer<CodingKeys>
    ) throws -> [(place: Int, slice: LentSlice)] {
        let place = try container.decode([Int].self, forKey: .slicePlace)
        let number = try container.decode([UInt64].self, forKey: .sliceNumber)
        let units = try container.decode([Int].self, forKey: .sliceUnits)
        let lease = try container.decode([Int64].self, forKey: .sliceLease)
        // Whatever is short ends the list.
        return zip(zip(place, number), zip(units, lease)).map { first, second in
            (first.0, LentSlice(number: first.1, units: second.0, lease: second.1))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var (kind, admitted, remaining): ([Int], [Int], [Int]) = ([], [], [])
        var (retryAfter, resetAfter): ([Int64], [Int64]) = ([], [])
        var (slices, owners): ([(Int, LentSlice)], [(Int, MemberID)]) = ([], [])
        for (place, answer) in answers.enumerated() {
            var decision = ItemDecision(admitted: 0, remaining: 0, retryAfter: 0, resetAfter: 0)
            switch answer {
            case .decided(let decided):
                decision = decided
                kind.append((decided.retryAfter == nil ? Kind.never : .decided).rawValue)
                if let slice = decided.slice { slices.append((place, slice)) }
            case .elsewhere(let owner):
                kind.append(Kind.elsewhere.rawValue)
                if let owner { owners.append((place, owner)) }
            case .unknownPolicy: kind.append(Kind.unknownPolicy.rawValue)
            case .invalid: kind.append(Kind.invalid.rawValue)
            }
            admitted.append(decision.admitted)
            remaining.append(decision.remaining)
            retryAfter.append(decision.retryAfter ?? 0)
            resetAfter.append(decision.resetAfter)
        }
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(kind, forKey: .kind)
        try container.encode(admitted, forKey: .admitted)
        try container.encode(remaining, forKey: .remaining)
        try container.encode(retryAfter, forKey: .retryAfter)
        try container.encode(resetAfter, forKey: .resetAfter)
        try container.encode(slices.map(\.0), forKey: .slicePlace)
        try container.encode(slices.map(\.1.number), forKey: .sliceNumber)
        try container.encode(slices.map(\.1.units), forKey: .sliceUnits)
        try container.encode(slices.map(\.1.lease), forKey: .sliceLease)
        try container.encode(owners.map(\.0), forKey: .ownerPlace)
        try container.encode(owners.map(\.1), forKey: .owner)
    }
}

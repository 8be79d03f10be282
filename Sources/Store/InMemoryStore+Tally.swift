import ClipModel

/// Effects that are counted once each.
extension InMemoryStore {
    func note(_ record: JobRecord) {
        guard let effect = record.effect else { return }
        outbox.append((effect, day: String(record.now.rawValue.prefix(10))))
    }

    package func countEffects(limit: Int) -> Int {
        let taken = outbox.prefix(max(0, limit))
        outbox.removeFirst(taken.count)
        for (effect, day) in taken {
            for (name, count) in effect.counts {
                let key = TallyKey(day: day, region: effect.region, name: name)
                tallies[key, default: 0] += count
            }
        }
        return taken.count
    }

    package func tally(days: Int) -> [TallyRow] {
        let first = clock().advanced(bySeconds: -86_400 * Double(max(1, days) - 1)).rawValue.prefix(10)
        return tallies.filter { $0.key.day >= first }
            .map { TallyRow(day: $0.key.day, region: $0.key.region, name: $0.key.name, count: $0.value) }
            .sorted { ($0.day, $0.region.rawValue, $0.name) < ($1.day, $1.region.rawValue, $1.name) }
    }
}

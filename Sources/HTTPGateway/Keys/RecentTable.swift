/// The entries that were written last: at most `entriesMax`, at least half of them.
///
/// Two halves. What is written goes into the young one; when that is full it becomes the old one, and the old one is
/// dropped whole. So whoever makes entries up pushes others out, and neither memory nor a search for the oldest grows.
struct RecentTable<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private var young: [Key: Value] = [:]
    private var old: [Key: Value] = [:]
    private let halfMax: Int

    init(entriesMax: Int) {
        precondition(entriesMax >= 2, "a table of \(entriesMax) has no halves")
        halfMax = entriesMax / 2
    }

    var count: Int { young.count + old.count }

    subscript(key: Key) -> Value? {
        get { young[key] ?? old[key] }
        set {
            old[key] = nil
            if newValue != nil, young[key] == nil, young.count >= halfMax {
                old = young
                young = [:]
            }
            young[key] = newValue
        }
    }
}

package import ClipModel

/// A month of the calendar, in UTC.
package struct CalendarMonth: Hashable, Sendable, CustomStringConvertible {
    /// `2026-11`
    package let description: String

    package init(of moment: Timestamp) { description = String(moment.rawValue.prefix(7)) }

    package var start: Timestamp {
        guard let start = Timestamp("\(description)-01T00:00:00Z") else {
            preconditionFailure("\(description) is no month")
        }
        return start
    }

    package var end: Timestamp {
        // 31 days on it is the next month, however long this one is.
        CalendarMonth(of: start.advanced(bySeconds: 31 * 86_400)).start
    }
}

/// What clients are granted by its name: as many minutes of video in a month.
package struct Plan: Sendable, Hashable {
    package let name: String
    /// Nil: no limit, whatever the configuration gives to everybody.
    package let minutesMax: Int?

    package static let nameCharactersMax = 64
    /// Nineteen years.
    package static let minutesRange = 1...10_000_000

    package init(name: String, minutesMax: Int?) {
        self.name = name
        self.minutesMax = minutesMax
    }

    /// What is wrong with it, or nil.
    package var problem: String? {
        let isName = name.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "._-".utf8.contains(byte)
        }
        guard isName, (1...Self.nameCharactersMax).contains(name.utf8.count) else {
            return "name must have 1 to \(Self.nameCharactersMax) of a-z, 0-9, '.', '_' and '-'"
        }
        return Self.problem(ofMinutes: minutesMax)
    }

    static func problem(ofMinutes minutes: Int?) -> String? {
        guard let minutes, !minutesRange.contains(minutes) else { return nil }
        return "minutesMax must be from 1 to \(minutesRange.upperBound), is \(minutes)"
    }
}

/// How much video a client has had looked at in a month, and how much it may have.
///
/// Counted are the seconds of the videos of its jobs, in the month in which a job was begun, each job once. That is not
/// what jobs cost (`FairShare`): a cost also has the clips that are made and whether speech is recognised, which is how
/// much the cluster works and not how long a video is, as a client can read it off its player.
package struct ClientUsage: Sendable, Hashable {
    package let month: CalendarMonth
    package let seconds: Double
    /// Nil: no limit.
    package let minutesMax: Int?

    /// - Parameter seconds: a sum. Rounded to microseconds: in sums of fractions the last place is off, and who has
    ///   used exactly what is allowed is refused. Below zero where a correction was added before its charge.
    package init(month: CalendarMonth, seconds: Double, minutesMax: Int?) {
        self.month = month
        self.seconds = max(0, (seconds * 1_000_000).rounded() / 1_000_000)
        self.minutesMax = minutesMax
    }

    package var minutes: Double { seconds / 60 }
    /// When it begins anew.
    package var resetsAt: Timestamp { month.end }
    /// Whether another job is refused. The one that crosses the line is made.
    package var isExhausted: Bool { minutesMax.map { minutes >= Double($0) } ?? false }

    /// How long a video is before anybody has looked into the file. Corrected once it is known.
    package static func guessedSeconds(of upload: Upload) -> Double {
        Double(upload.bytes) / FairShare.bytesPerSecond
    }
}

package enum TermsOutcome: Sendable, Hashable {
    case set
    case noSuchPlan
}

package enum PlanRemoval: Sendable, Hashable {
    case removed(Plan)
    /// So many clients have it.
    case inUse(clients: Int)
    case noSuchPlan
}

/// The part of durable truth that plans and usage are in.
package protocol QuotaBook: Sendable {
    /// What a client has used in this month.
    /// - Parameter minutesMax: for clients whose terms say nothing; nil: no limit.
    func usage(of tenant: String, minutesMax: Int?) async throws -> ClientUsage
    /// All plans, by name.
    func plans() async throws -> [Plan]
    /// Makes a plan, or changes it for all who have it. False when it is new and there are `StoreLimits.plansMax`
    /// already. Safe to repeat.
    func setPlan(_ plan: Plan) async throws -> Bool
    func removePlan(_ name: String) async throws -> PlanRemoval
}

extension InMemoryStore {
    struct UsageKey: Hashable {
        let tenant: String
        let month: CalendarMonth
    }

    package func usage(of tenant: String, minutesMax: Int?) -> ClientUsage {
        usage(of: tenant, in: CalendarMonth(of: clock()), minutesMax: minutesMax)
    }

    func usage(of tenant: String, in month: CalendarMonth, minutesMax: Int?) -> ClientUsage {
        let terms = tenants[tenant]?.terms ?? ClientTerms()
        return ClientUsage(
            month: month, seconds: usedSeconds[UsageKey(tenant: tenant, month: month)] ?? 0,
            minutesMax: terms.minutesMax(on: terms.plan.flatMap { planBook[$0] }, otherwise: minutesMax))
    }

    func charge(_ seconds: Double, to tenant: String, at moment: Timestamp) {
        let key = UsageKey(tenant: tenant, month: CalendarMonth(of: moment))
        usedSeconds[key] = max(0, (usedSeconds[key] ?? 0) + seconds)
    }

    /// Of a job that was never charged there is nothing to correct.
    func correctUsage(_ record: JobRecord) {
        guard let correction = record.usageCorrection else { return }
        charge(correction, to: record.job.tenant, at: record.job.createdAt)
    }

    func forgetUsage() {
        let oldest = clock().advanced(bySeconds: Double(-StoreLimits.usageDays * 86_400))
        usedSeconds = usedSeconds.filter { $0.key.month.start >= oldest }
    }

    package func plans() -> [Plan] { planBook.values.sorted { $0.name < $1.name } }

    package func setPlan(_ plan: Plan) -> Bool {
        guard planBook[plan.name] != nil || planBook.count < StoreLimits.plansMax else { return false }
        planBook[plan.name] = plan
        return true
    }

    package func removePlan(_ name: String) -> PlanRemoval {
        guard let plan = planBook[name] else { return .noSuchPlan }
        let users = tenants.values.count { $0.terms.plan == name }
        guard users == 0 else { return .inUse(clients: users) }
        planBook[name] = nil
        return .removed(plan)
    }
}

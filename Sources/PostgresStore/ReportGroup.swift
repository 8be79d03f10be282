import ClipModel
import Store
import Synchronization

/// Reports that arrive while others are being written go together in the next transaction: what a commit costs is paid
/// once. Nobody waits for company: a report that comes alone goes alone, at once.
///
/// Whoever comes first writes for itself and for those that wait, and hands the turn to the next. A group that fails
/// is broken up, and each of its reports is written alone: one that the server refuses spoils no other.
final class ReportGroup: Sendable {
    struct Report: Sendable {
        let lease: StageLease
        let outcome: StageOutcome
        let effort: Effort?
        let advance: Advance
    }

    /// Answers in the order of the reports.
    typealias Write = @Sendable ([Report]) async throws -> [CompleteOutcome]

    private enum Turn: Sendable {
        case write
        case answered(CompleteOutcome)
        case writeAlone
        case cancelled
    }

    private struct State {
        var isWriting = false
        var lastNumber = 0
        /// In the order of arrival.
        var waiting: [(number: Int, report: Report)] = []
        var continuations: [Int: CheckedContinuation<Turn, Never>] = [:]
    }

    private let state = Mutex(State())
    private let reportsMax: Int
    private let write: Write

    init(reportsMax: Int = StoreLimits.claimMax, write: @escaping Write) {
        self.reportsMax = reportsMax
        self.write = write
    }

    func complete(_ report: Report) async throws -> CompleteOutcome {
        switch await turn(of: report) {
        case .cancelled: throw CancellationError()
        case .answered(let outcome): return outcome
        case .writeAlone: return try await write([report])[0]
        case .write: break
        }
        let others = company(of: report)
        do {
            let answers = try await write([report] + others.map(\.report))
            for (other, answer) in zip(others, answers.dropFirst()) { resume(other.number, with: .answered(answer)) }
            passOn()
            return answers[0]
        } catch {
            for other in others { resume(other.number, with: .writeAlone) }
            passOn()
            guard !others.isEmpty, !Task.isCancelled else { throw error }
            return try await write([report])[0]
        }
    }

    /// Takes those that wait. Of two reports under one lease the later one waits for what becomes of the first.
    private func company(of report: Report) -> [(number: Int, report: Report)] {
        state.withLock { state in
            var leases: Set<StageLease> = [report.lease]
            var (taken, left): ([(number: Int, report: Report)], [(number: Int, report: Report)]) = ([], [])
            for waiter in state.waiting {
                let isTaken = taken.count < reportsMax - 1 && leases.insert(waiter.report.lease).inserted
                if isTaken { taken.append(waiter) } else { left.append(waiter) }
            }
            state.waiting = left
            return taken
        }
    }

    /// Waits while somebody else writes.
    private func turn(of report: Report) async -> Turn {
        let number: Int? = state.withLock { state in
            guard state.isWriting else {
                state.isWriting = true
                return nil
            }
            state.lastNumber += 1
            return state.lastNumber
        }
        guard let number else { return .write }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let turn: Turn? = state.withLock { state in
                    // Inside the lock, so that a cancellation is either seen here or finds the report waiting.
                    if Task.isCancelled { return .cancelled }
                    guard state.isWriting else {
                        state.isWriting = true
                        return .write
                    }
                    state.waiting.append((number, report))
                    state.continuations[number] = continuation
                    return nil
                }
                if let turn { continuation.resume(returning: turn) }
            }
        } onCancel: {
            // One that is being written may count all the same, as when its own connection broke.
            state.withLock { $0.waiting.removeAll { $0.number == number } }
            resume(number, with: .cancelled)
        }
    }

    private func passOn() {
        let next = state.withLock { state -> CheckedContinuation<Turn, Never>? in
            guard let first = state.waiting.first else {
                state.isWriting = false
                return nil
            }
            state.waiting.removeFirst()
            return state.continuations.removeValue(forKey: first.number)
        }
        next?.resume(returning: .write)
    }

    private func resume(_ number: Int, with turn: Turn) {
        state.withLock { $0.continuations.removeValue(forKey: number) }?.resume(returning: turn)
    }
}

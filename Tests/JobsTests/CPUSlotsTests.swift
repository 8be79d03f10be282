import ClipModel
import Foundation
import Glibc
import Jobs
import SystemPackage
import TestSupport
import Testing

@Suite struct CPUSlotsTests {
    private let directory = FileManager.default.temporaryDirectory
        .appendingPathComponent("slots-\(UUID().uuidString)").path

    @Test func `two nodes of one machine share its threads`() throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let (one, two) = (try slots(), try slots())
        let first = try #require(one.tryAcquire(upTo: 3))
        #expect(first.threads == 3)
        let second = try #require(two.tryAcquire(upTo: 3))
        #expect(second.threads == 1)
        #expect(one.tryAcquire() == nil && two.tryAcquire() == nil)
        one.release(first)
        #expect(two.extended(second, upTo: 4).threads == 4)
    }

    @Test func `a node never goes beyond its own budget`() throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let slots = try slots(budget: 2)
        let grant = try #require(slots.tryAcquire(upTo: 4))
        #expect(grant.threads == 2 && slots.inUse == 2)
        #expect(slots.tryAcquire() == nil)
        #expect(slots.extended(grant, upTo: 4) == grant)
        slots.release(grant)
        #expect(slots.inUse == 0)
    }

    @Test func `a process that is killed gives its threads back`() throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let slots = try slots(machineThreads: 1)
        // `cat` ends when the pipe does, so nothing outlives the test.
        let holder = try Child(
            "flock", ["--close", directory + "/slot-0", "sh", "-c", "echo held; exec cat"], input: .pipe, output: .pipe)
        let output = try #require(holder.output)
        defer { try? output.close() }
        #expect(String(decoding: try output.readSome(), as: UTF8.self) == "held\n")
        #expect(slots.tryAcquire() == nil)
        kill(holder.identifier, SIGKILL)
        try holder.input?.close()
        holder.wait()
        #expect(slots.tryAcquire() != nil)
    }

    @Test func `a directory that cannot be used is said so`() {
        let failure = #expect(throws: Failure.self) {
            try CPUSlots(directory: "/proc/no-such-directory", machineThreads: 1, budget: 1)
        }
        #expect(failure?.code == "slots_unusable")
    }

    private func slots(machineThreads: Int = 4, budget: Int = 4) throws -> CPUSlots {
        try CPUSlots(directory: directory, machineThreads: machineThreads, budget: budget)
    }
}

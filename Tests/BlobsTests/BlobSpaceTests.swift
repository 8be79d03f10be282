import Blobs
import ClipModel
import Foundation
import Glibc
import Testing

/// Full disks, and neighbours on the same disk.
@Suite struct BlobSpaceTests {
    @Test func `nothing is begun when the disk is closer to full than the limit allows`() async throws {
        let root = try TemporaryDirectory()
        let blobs = try BlobDirectory(root: root.path, limits: BlobLimits(freeBytesMin: 1 << 60))
        #expect(await code { _ = try await blobs.writer(for: name("a"), limitBytes: 10) } == .full)
        await #expect(throws: BlobError.self) { try await blobs.put([1], as: name("a")) }
        await #expect(throws: BlobError.self) { try await blobs.withScratch(named: "a") { _ in } }
        #expect(try blobs.freeBytes() == 0)
    }

    @Test func `a full disk has a code, a reason and a hint, and is for another node to try`() {
        let failure = BlobError(.full, "write: No space left on device").failure
        #expect(failure.class == .resource)
        #expect(failure.code == "disk_full")
        #expect(!failure.hint.isEmpty)
    }

    @Test(arguments: BlobError.Code.allCases)
    func `no error shows its details to clients`(code: BlobError.Code) {
        let failure = BlobError(code, "open: /secret/path").failure
        #expect(!failure.description.contains("/secret"))
        #expect(failure.reason.hasSuffix(".") && failure.hint.hasSuffix("."))
    }

    /// A real full disk: a file system of one megabyte, which only root may mount.
    @Test(.enabled(if: getuid() == 0 && canMount))
    func `a disk that fills up while a blob arrives is reported as full and left clean`() async throws {
        let root = try TemporaryDirectory()
        try #require(mount("tmpfs", root.path, "size=1m") == 0)
        defer { unmount(root.path) }
        let blobs = try BlobDirectory(root: root.path, limits: BlobLimits(freeBytesMin: 0))
        let writer = try await blobs.writer(for: name("full"), limitBytes: 1 << 30)
        let block = [UInt8](repeating: 0, count: 64 << 10)
        #expect(await code { for _ in 0..<64 { try await writer.write(block) } } == .full)
        await writer.discard()
        _ = try await blobs.put(block, as: name("fits"))
    }

    @Test func `the scratch of a process that lives is left alone, that of a dead one is swept`() async throws {
        let root = try TemporaryDirectory()
        let blobs = try BlobDirectory(root: root.path, limits: BlobLimits(freeBytesMin: 0))
        // What a killed process leaves: a room whose lock nobody holds.
        let dead = root.path + "/scratch/life-killed"
        try FileManager.default.createDirectory(atPath: dead + "/render-0-1", withIntermediateDirectories: true)
        try Data([1, 2, 3]).write(to: URL(fileURLWithPath: dead + "/render-0-1/clip.mp4"))

        try await blobs.withScratch(named: "alive") { scratch in
            try await blobs.writeScratch([1], to: scratch + "/file")
            let neighbour = try BlobDirectory(root: root.path, limits: BlobLimits(freeBytesMin: 0))
            #expect(!FileManager.default.fileExists(atPath: dead))
            #expect(FileManager.default.fileExists(atPath: scratch + "/file"))
            #expect(try await neighbour.sweep() == 0)
            #expect(FileManager.default.fileExists(atPath: scratch + "/file"))
        }
    }

    @Test func `the scratch of a directory that is let go is removed with it`() throws {
        let root = try TemporaryDirectory()
        var blobs: BlobDirectory? = try BlobDirectory(root: root.path)
        #expect(try rooms(root) == 1)
        blobs = nil
        #expect(blobs == nil)
        #expect(try rooms(root) == 0)
    }

    private func rooms(_ root: TemporaryDirectory) throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: root.path + "/scratch").count { $0.hasPrefix("life-") }
    }
}

/// Containers often take the right to mount from root.
private let canMount: Bool = {
    guard let probe = try? TemporaryDirectory(), mount("tmpfs", probe.path, "size=64k") == 0 else { return false }
    unmount(probe.path)
    return true
}()

private func mount(_ type: String, _ path: String, _ options: String) -> Int32 {
    // All strings live for the length of the call.
    unsafe options.withCString { unsafe Glibc.mount("none", path, type, 0, UnsafeRawPointer($0)) }
}

private func unmount(_ path: String) {
    // The string lives for the length of the call.
    unsafe _ = umount(path)
}

import ClipModel
import Foundation
import HTTPGateway
import TestSupport
import Testing

struct Checksum32Tests {
    @Test(
        arguments: [
            ("", 0), ("a", 0xE8B7_BE43), ("123456789", 0xCBF4_3926),
            ("The quick brown fox jumps over the lazy dog", 0x414F_A339),
        ] as [(String, UInt32)])
    func `the checksum of known text is known`(text: String, value: UInt32) {
        var checksum = Checksum32()
        checksum.update(Array(text.utf8))
        #expect(checksum.value == value)
    }

    @Test func `however the bytes are cut the checksum is the same`() {
        let bytes = (0..<200).map { UInt8(truncatingIfNeeded: $0 &* 37) }
        var whole = Checksum32()
        whole.update(bytes)
        for cut in 0...bytes.count {
            var parts = Checksum32()
            parts.update(Array(bytes[..<cut]))
            parts.update(Array(bytes[cut...]))
            #expect(parts.value == whole.value)
        }
    }
}

struct ZipWriterTests {
    private let moment = Timestamp("2026-03-04T05:06:08Z")!

    /// Python's `zipfile` is the judge: it did not learn the format from us.
    private func python(_ script: String, _ path: String) throws -> String {
        try Child.run("python3", ["-c", "import sys, zipfile\nz = zipfile.ZipFile(sys.argv[1])\n" + script, path])
    }

    private func temporaryFile() -> URL {
        FileManager.default.temporaryDirectory.appending(path: "zip-\(UUID().uuidString).zip")
    }

    @Test func `another reader finds every file whole`() throws {
        let files: [(String, [UInt8])] = [
            ("01-hello.txt", Array("hello".utf8)), ("empty.srt", []), ("niña 🎬.mp4", (0...255).map { UInt8($0) }),
        ]
        var zip = ZipWriter()
        var bytes: [UInt8] = []
        var entries: [ZipWriter.Entry] = []
        for (name, content) in files {
            var checksum = Checksum32()
            checksum.update(content)
            let entry = ZipWriter.Entry(
                name: name, bytes: Int64(content.count), checksum: checksum.value, modifiedAt: moment)
            entries.append(entry)
            bytes += zip.begin(entry) + content
        }
        bytes += zip.end()
        #expect(ZipWriter.length(of: entries) == Int64(bytes.count))
        let file = temporaryFile()
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(bytes).write(to: file)
        let seen = try python(
            "print(z.testzip(), [(i.filename, i.file_size, i.date_time, i.compress_type) for i in z.infolist()])",
            file.path)
        #expect(
            seen == "None [('01-hello.txt', 5, (2026, 3, 4, 5, 6, 8), 0), ('empty.srt', 0, (2026, 3, 4, 5, 6, 8), 0), "
                + "('niña 🎬.mp4', 256, (2026, 3, 4, 5, 6, 8), 0)]\n")
    }

    @Test func `files and offsets beyond four gigabytes are read`() throws {
        // Sparse: five gigabytes of zeros that no disk has to hold.
        let big: Int64 = 5 << 30
        let entries = [
            ZipWriter.Entry(name: "big.mp4", bytes: big, checksum: 0, modifiedAt: moment),
            ZipWriter.Entry(name: "small.txt", bytes: 2, checksum: 0x7C4A_5D1B, modifiedAt: moment),
        ]
        let path = temporaryFile()
        _ = FileManager.default.createFile(atPath: path.path, contents: nil)
        defer { try? FileManager.default.removeItem(at: path) }
        let handle = try FileHandle(forWritingTo: path)
        var zip = ZipWriter()
        try handle.write(contentsOf: Data(zip.begin(entries[0])))
        try handle.seek(toOffset: try handle.offset() + UInt64(big))
        try handle.write(contentsOf: Data(zip.begin(entries[1]) + Array("ok".utf8) + zip.end()))
        #expect(try handle.offset() == UInt64(ZipWriter.length(of: entries)))
        try handle.close()
        let seen = try python("print([(i.filename, i.file_size) for i in z.infolist()])", path.path)
        #expect(seen == "[('big.mp4', 5368709120), ('small.txt', 2)]\n")
    }

    @Test func `more files than sixteen bits count are read`() throws {
        var zip = ZipWriter()
        var bytes: [UInt8] = []
        for number in 0..<70_000 {
            bytes += zip.begin(ZipWriter.Entry(name: "\(number)", bytes: 0, checksum: 0, modifiedAt: moment))
        }
        bytes += zip.end()
        let file = temporaryFile()
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(bytes).write(to: file)
        #expect(try python("print(len(z.infolist()))", file.path) == "70000\n")
    }
}

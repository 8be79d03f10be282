import Testing
import Uploads

@Suite struct FieldTests {
    @Test func `a number of bytes is digits and nothing else`() {
        #expect(TusFields.bytes("0") == 0)
        #expect(TusFields.bytes("123456789012345678") == 123_456_789_012_345_678)
        for text in ["", "-1", "+1", " 1", "1 ", "0x10", "1.0", "1e3", "１", "1234567890123456789"] {
            #expect(TusFields.bytes(text) == nil, "\(text)")
        }
    }

    @Test func `metadata is keys with values in Base64`() {
        #expect(TusFields.metadata("") == [:])
        #expect(
            TusFields.metadata("filename dGFsay5tcDQ=, is_private") == [
                "filename": Array("talk.mp4".utf8), "is_private": [],
            ])
        for text in ["filename talk.mp4!", ",", "a YQ==,a Yg==", "a  YQ==", "ключ YQ==", "a YQ== b"] {
            #expect(TusFields.metadata(text) == nil, "\(text)")
        }
    }

    @Test func `concatenation is a piece or a list of pieces`() {
        #expect(TusFields.concatenation("partial") == .partial)
        #expect(TusFields.concatenation("final;/a/1 https://h/b/2") == .final(["/a/1", "https://h/b/2"]))
        for text in ["", "Partial", "final", "final;", "final; "] {
            #expect(TusFields.concatenation(text) == nil, "\(text)")
        }
    }

    @Test func `a checksum names an algorithm and has its length`() {
        let sha1 = UploadChecksum(.sha1, Array(repeating: 0, count: 20))
        #expect(TusFields.checksum("sha1 AAAAAAAAAAAAAAAAAAAAAAAAAAA=") == .checksum(sha1))
        #expect(TusFields.checksum("crc32 AAAA") == .unknownAlgorithm)
        for text in ["sha1", "sha1 AAAA", "sha1  AAAAAAAAAAAAAAAAAAAAAAAAAAA=", "sha1 %%%", "md5 AAAA"] {
            #expect(TusFields.checksum(text) == .malformed, "\(text)")
        }
    }

    @Test func `structured fields that are not well formed count as absent`() {
        #expect(DraftFields.boolean("?1") == true)
        #expect(DraftFields.boolean(" ?0 ") == false)
        for text in ["1", "true", "?2", ""] { #expect(DraftFields.boolean(text) == nil, "\(text)") }
        #expect(DraftFields.bytes("999999999999999") == 999_999_999_999_999)
        for text in ["1000000000000000", "-1", "1.0", "abc"] { #expect(DraftFields.bytes(text) == nil, "\(text)") }
        let digest = "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:"
        #expect(DraftFields.sha256(digest) == Array(repeating: 0, count: 32))
        #expect(DraftFields.sha256("sha-512=:AAAA:, \(digest)") == Array(repeating: 0, count: 32))
        #expect(DraftFields.sha256("sha-256=:AAAA:") == nil)
        #expect(DraftFields.sha256("md5=:AAAA:") == nil)
    }
}

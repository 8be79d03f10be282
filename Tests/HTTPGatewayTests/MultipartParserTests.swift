import HTTPGateway
import Testing

struct MultipartParserTests {
    /// What a form amounts to, however its bytes were cut.
    struct Form: Equatable {
        var parts: [Part] = []
        struct Part: Equatable {
            let name: String
            let fileName: String?
            var content: [UInt8] = []
            var isClosed = false
        }
    }

    static func read(
        _ chunks: [ArraySlice<UInt8>], boundary: String = "XX", limits: MultipartParser.Limits = .init()
    ) throws -> Form {
        var parser = MultipartParser(boundary: boundary, limits: limits)
        var form = Form()
        for chunk in chunks {
            for event in try parser.feed(chunk) {
                switch event {
                case .partBegan(let part): form.parts.append(Form.Part(name: part.name, fileName: part.fileName))
                case .content(let bytes):
                    #expect(!bytes.isEmpty)
                    form.parts[form.parts.count - 1].content += bytes
                case .partEnded: form.parts[form.parts.count - 1].isClosed = true
                }
            }
        }
        try parser.finish()
        return form
    }

    static func body(_ text: String) -> [UInt8] { Array(text.utf8) }

    /// Content full of things that look like the delimiter and are not.
    static let tricky = body(
        "preamble\r\n--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n"
            + "\r\n--X\r\n--XXY\r\n--XX-\r\r\n--\r\n-- XX\r\n\r\n--XX \t\r\n"
            + "content-disposition: form-data; name=\"file\"; filename=\"t.mp4\"\r\nContent-Type: video/mp4\r\n\r\n"
            + "\r\n--XX--\r\nepilogue --XX\r\n")

    @Test func `every cut into two pieces reads the same`() throws {
        let whole = try Self.read([Self.tricky[...]])
        #expect(
            whole.parts == [
                .init(
                    name: "a", fileName: nil,
                    content: Self.body("\r\n--X\r\n--XXY\r\n--XX-\r\r\n--\r\n-- XX\r\n"), isClosed: true),
                .init(name: "file", fileName: "t.mp4", content: [], isClosed: true),
            ])
        for cut in 0...Self.tricky.count {
            #expect(try Self.read([Self.tricky[..<cut], Self.tricky[cut...]]) == whole, "cut at \(cut)")
        }
    }

    @Test func `every cut into three pieces reads the same`() throws {
        let small = Self.body("--XX\r\nContent-Disposition: form-data; name=\"f\"\r\n\r\na\r\n--XXb\r\n--XX--")
        let whole = try Self.read([small[...]])
        for first in 0...small.count {
            for second in first...small.count {
                let form = try Self.read([small[..<first], small[first..<second], small[second...]])
                #expect(form == whole, "cut at \(first) and \(second)")
            }
        }
    }

    @Test func `one byte at a time reads the same`() throws {
        let pieces = Self.tricky.indices.map { Self.tricky[$0...$0] }
        #expect(try Self.read(pieces) == Self.read([Self.tricky[...]]))
    }

    @Test func `content is handed on as it arrives and not hoarded`() throws {
        var parser = MultipartParser(boundary: "XX")
        _ = try parser.feed(Self.body("--XX\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n"))
        let block = [UInt8](repeating: 13, count: 64 * 1024)
        for _ in 0..<16 {
            let handed = try parser.feed(block).reduce(0) { sum, event in
                if case .content(let bytes) = event { sum + bytes.count } else { sum }
            }
            #expect(handed >= block.count - 8)
        }
    }

    @Test func `a body without its closing delimiter is truncated wherever it ends`() throws {
        let body = Self.body("--XX\r\nContent-Disposition: form-data; name=\"f\"\r\n\r\nabc\r\n--XX--")
        for end in 0..<body.count {
            #expect(throws: MultipartError.truncated, "ends at \(end)") { try Self.read([body[..<end]]) }
        }
    }

    @Test func `a form without parts is read`() throws {
        #expect(try Self.read([Self.body("--XX--")[...]]).parts.isEmpty)
    }

    @Test func `too many parts are refused`() {
        let part = "--XX\r\nContent-Disposition: form-data; name=\"f\"\r\n\r\n\r\n"
        let body = Self.body(part + part + part + "--XX--")
        #expect(throws: MultipartError.tooManyParts(limit: 2)) {
            try Self.read([body[...]], limits: .init(partsMax: 2))
        }
    }

    @Test(arguments: [1, 1000])
    func `headers longer than the limit are refused before they end`(pieceBytes: Int) throws {
        var parser = MultipartParser(boundary: "XX", limits: .init(headerBytesMax: 300))
        _ = try parser.feed(Self.body("--XX\r\n"))
        #expect(throws: MultipartError.headersTooLong(limitBytes: 300)) {
            for _ in 0..<(2000 / pieceBytes) { _ = try parser.feed([UInt8](repeating: 65, count: pieceBytes)) }
        }
    }

    @Test func `a long preamble is refused`() {
        #expect(throws: MultipartError.preambleTooLong(limitBytes: 10)) {
            try Self.read([Self.body("this is no form at all\r\n--XX--")[...]], limits: .init(preambleBytesMax: 10))
        }
    }

    @Test(arguments: [
        "Content-Type: video/mp4", "Content-Disposition: attachment; name=\"f\"", "Content-Disposition: form-data",
    ])
    func `a part without a form field is refused`(header: String) {
        #expect(throws: MultipartError.unnamedPart) {
            try Self.read([Self.body("--XX\r\n\(header)\r\n\r\nx\r\n--XX--")[...]])
        }
    }
}

struct MultipartNameTests {
    static let names: [(header: String, fileName: String)] = [
        (#"filename="plain.mp4""#, "plain.mp4"),
        (#"filename=plain.mp4"#, "plain.mp4"),
        // curl escapes with a backslash, browsers with per cent signs.
        (#"filename="say \"hi\".mp4""#, #"say "hi".mp4"#),
        (#"filename="say %22hi%22.mp4""#, #"say "hi".mp4"#),
        (#"filename="a%0D%0Ab.mp4""#, "a\r\nb.mp4"),
        (#"filename="100%.mp4""#, "100%.mp4"),
        (#"filename="100%2525.mp4""#, "100%2525.mp4"),
        (#"filename="C:\videos\talk.mp4""#, #"C:\videos\talk.mp4"#),
        (#"filename="semi;colon=.mp4""#, "semi;colon=.mp4"),
        ("filename=\"niña 🎬.mp4\"", "niña 🎬.mp4"),
        (#"filename="../../etc/passwd""#, "../../etc/passwd"),
        (#"filename="fallback.mp4"; filename*=UTF-8''ni%C3%B1a.mp4"#, "niña.mp4"),
        (#"filename*=UTF-8''%F0%9F%8E%AC.mp4"#, "🎬.mp4"),
        // Broken extended names fall back to the plain one.
        (#"filename="plain.mp4"; filename*=latin1''ni%F1a.mp4"#, "plain.mp4"),
        (#"filename="plain.mp4"; filename*=UTF-8''%C3"#, "plain.mp4"),
        (#"filename="""#, ""),
    ]

    @Test(arguments: names)
    func `a file name arrives as the client meant it`(header: String, fileName: String) throws {
        let block = "Content-Disposition: form-data; name=\"file\"; \(header)"
        #expect(try MultipartPart(headerBlock: Array(block.utf8)).fileName == fileName)
    }

    @Test func `a raw line break in a file name belongs to the name`() throws {
        let block = "Content-Disposition: form-data; name=\"file\"; filename=\"a\r\nb.mp4\"\r\nContent-Type: video/mp4"
        let part = try MultipartPart(headerBlock: Array(block.utf8))
        #expect(part.fileName == "a\r\nb.mp4")
        #expect(part.contentType == "video/mp4")
    }

    @Test func `a header block that begins with rubbish is refused`() {
        #expect(throws: MultipartError.malformedHeader) {
            try MultipartPart(headerBlock: Array("no colon here\r\nContent-Type: x".utf8))
        }
    }

    @Test(arguments: [
        ("talk.mp4", "talk.mp4"), ("../../etc/passwd", "passwd"), (#"C:\videos\talk.mp4"#, "talk.mp4"),
        ("a\r\nb\u{0}.mp4", "ab.mp4"), ("  spaces .mp4  ", "spaces .mp4"), ("", "video"), ("..", "video"),
        ("/", "video"), ("niña 👩‍👩‍👧.mp4", "niña 👩‍👩‍👧.mp4"), ("gpj.\u{202E}4pm.exe", "gpj.4pm.exe"),
    ])
    func `a name is made harmless for display`(raw: String, shown: String) {
        #expect(DisplayName.normalise(raw) == shown)
    }

    @Test func `a long name is shortened and keeps its ending`() {
        let name = DisplayName.normalise(String(repeating: "ñ", count: 400) + ".mp4")
        #expect(name.utf8.count <= DisplayName.bytesMax)
        #expect(name.hasSuffix("ñ.mp4"))
        #expect(DisplayName.normalise(String(repeating: "a", count: 400)).utf8.count == DisplayName.bytesMax)
    }
}

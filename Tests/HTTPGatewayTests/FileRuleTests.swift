import HTTPGateway
import HTTPTypes
import Testing

struct ByteRangeTests {
    @Test(
        arguments: [
            (nil, .whole), ("bytes=0-9", .part(0..<10)), ("bytes=0-0", .part(0..<1)), ("bytes=5-", .part(5..<100)),
            ("bytes=-5", .part(95..<100)), ("bytes=-500", .part(0..<100)), ("bytes=90-200", .part(90..<100)),
            ("bytes=99-99", .part(99..<100)), ("Bytes = 1-2", .part(1..<3)), ("bytes= 1 - 2 ", .part(1..<3)),
            ("bytes=100-", .unsatisfiable), ("bytes=100-200", .unsatisfiable), ("bytes=-0", .unsatisfiable),
            ("bytes=5-4", .whole), ("bytes=", .whole), ("bytes=-", .whole), ("bytes=a-b", .whole),
            ("lines=0-9", .whole),
            ("bytes=0x1-5", .whole), ("bytes=+1-5", .whole), ("", .whole),
            ("bytes=99999999999999999999-", .whole),
        ] as [(String?, ByteRange)])
    func `a range of a hundred bytes resolves`(header: String?, range: ByteRange) {
        #expect(ByteRange(header: header, size: 100) == range)
    }

    @Test(arguments: ["bytes=0-", "bytes=0-0", "bytes=-1"])
    func `nothing of an empty file can be had`(header: String) {
        #expect(ByteRange(header: header, size: 0) == .unsatisfiable)
    }
}

struct EntityTagTests {
    let tag = EntityTag(sha256: "abc")

    @Test(
        arguments: [
            (nil, false), ("\"abc\"", true), ("W/\"abc\"", true), ("\"x\", \"abc\"", true), ("\"x\" ,W/\"abc\" ", true),
            ("*", true), ("\"x\"", false), ("abc", false), ("", false),
        ] as [(String?, Bool)])
    func `If-None-Match compares weakly`(header: String?, matches: Bool) {
        #expect(tag.matches(ifNoneMatch: header) == matches)
    }

    @Test(
        arguments: [
            (nil, true), ("\"abc\"", true), ("W/\"abc\"", false), ("\"x\"", false),
            ("Wed, 21 Oct 2015 07:28:00 GMT", false),
        ] as [(String?, Bool)])
    func `If-Range compares strongly`(header: String?, permits: Bool) {
        #expect(tag.permitsRange(ifRange: header) == permits)
    }
}

struct ContentDispositionTests {
    @Test(arguments: [
        ("01-talk.mp4", #"attachment; filename="01-talk.mp4""#),
        ("niña.mp4", #"attachment; filename="ni_a.mp4"; filename*=UTF-8''ni%C3%B1a.mp4"#),
        (#"a"b\c/d.mp4"#, #"attachment; filename="a_b-c-d.mp4""#),
        ("a\r\nSet-Cookie: x.mp4", #"attachment; filename="aSet-Cookie_ x.mp4""#),
        ("../..", #"attachment; filename="-..""#), ("", #"attachment; filename="file""#),
        ("🎬", #"attachment; filename="_"; filename*=UTF-8''%F0%9F%8E%AC"#),
    ])
    func `a name is safe in a header and on any disk`(name: String, header: String) {
        #expect(ContentDisposition(fileName: name).text == header)
    }

    @Test func `a clip may be shown in place`() {
        #expect(ContentDisposition(fileName: "a.mp4", inline: true).text == #"inline; filename="a.mp4""#)
    }
}

struct RouteTableTests {
    @Test func `an address that exists names its methods and another none`() {
        var table = RouteTable()
        table.add(.get, "/api/jobs")
        table.add(.post, "/api/jobs")
        table.add(.get, "/api/jobs/{id}")
        table.add(.delete, "/api/jobs/{id}")
        table.add(.post, "/api/jobs/{id}/cancel")
        table.add(.get, "/")
        #expect(table.allowedMethods(for: "/api/jobs") == ["GET", "HEAD", "OPTIONS", "POST"])
        #expect(table.allowedMethods(for: "/api/jobs/abc") == ["DELETE", "GET", "HEAD", "OPTIONS"])
        #expect(table.allowedMethods(for: "/api/jobs/abc/cancel") == ["OPTIONS", "POST"])
        #expect(table.allowedMethods(for: "/") == ["GET", "HEAD", "OPTIONS"])
        #expect(table.allowedMethods(for: "/api") == [])
        #expect(!table.answersOptions("/api/jobs"))
        table.add(.options, "/api/jobs")
        #expect(table.answersOptions("/api/jobs") && !table.answersOptions("/api/jobs/abc"))
        #expect(table.allowedMethods(for: "/api/jobs/abc/cancel/more") == [])
    }
}

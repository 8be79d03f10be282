import ClipModel
import HTTPTypes
import Hummingbird
import Uploads

/// The head of a tus request, read.
enum TusRequest {
    static func opening(_ request: Request, tenant: String) throws(Problem) -> UploadService.Opening {
        let raw = request.headers[.uploadMetadata] ?? ""
        guard let metadata = TusFields.metadata(raw) else {
            throw .uploadHeader(
                .uploadMetadata, "Upload-Metadata is not made of keys with values in Base64.",
                hint: "Send `filename <Base64>`, with commas between pairs.")
        }
        let name = (metadata["filename"] ?? metadata["name"]).map { String(decoding: $0, as: UTF8.self) }
        var opening = UploadService.Opening(
            tenant: tenant, fileName: DisplayName.normalise(name), metadata: raw,
            sha256: DraftRequest.wholeDigest(request))
        if let text = request.headers[.uploadConcat] {
            switch TusFields.concatenation(text) {
            case .partial: opening.kind = .partial
            case .final(let addresses):
                opening.kind = .final
                opening.pieces = try pieces(addresses)
            case nil:
                throw .uploadHeader(
                    .uploadConcat, "Upload-Concat is neither `partial` nor `final;` with addresses.",
                    hint: "Send `final;/api/uploads/... /api/uploads/...`.")
            }
        }
        opening.length = try length(request, isFinal: opening.kind == .final)
        return opening
    }

    private static func pieces(_ addresses: [String]) throws(Problem) -> [UploadID] {
        var pieces: [UploadID] = []
        for address in addresses {
            guard let id = UploadID(String(address.split(separator: "/").last ?? "")) else {
                throw Problem(upload: .noSuchPiece, in: .tus)
            }
            pieces.append(id)
        }
        return pieces
    }

    private static func length(_ request: Request, isFinal: Bool) throws(Problem) -> Int64? {
        let text = request.headers[.uploadLength]
        let deferred = request.headers[.uploadDeferLength]
        if isFinal {
            guard text == nil, deferred == nil else {
                throw .uploadHeader(
                    .uploadLength, "The length of a final upload is that of its parts.", hint: "Leave it out.")
            }
            return nil
        }
        if let deferred {
            guard deferred == "1", text == nil else {
                throw .uploadHeader(
                    .uploadDeferLength, "Upload-Defer-Length is 1, and comes without Upload-Length.",
                    hint: "Send one of the two.")
            }
            return nil
        }
        guard let text, let length = TusFields.bytes(text) else {
            throw .uploadHeader(
                .uploadLength, "The upload's length is missing or not a number of bytes.",
                hint: "Send Upload-Length, or Upload-Defer-Length: 1.")
        }
        return length
    }

    static func append(_ request: Request) throws(Problem) -> UploadAppend {
        guard let offset = request.headers[.uploadOffset].flatMap({ TusFields.bytes($0) }) else {
            throw .uploadHeader(
                .uploadOffset, "Upload-Offset is missing or not a number of bytes.",
                hint: "HEAD tells where the upload stands.")
        }
        var append = UploadAppend(
            offset: offset, announced: request.announcedBytes, checksum: try checksum(request))
        if let text = request.headers[.uploadLength] {
            guard let length = TusFields.bytes(text) else {
                throw .uploadHeader(
                    .uploadLength, "Upload-Length is not a number of bytes.", hint: "Send digits only.")
            }
            append.length = length
        }
        return append
    }

    static func checksum(_ request: Request) throws(Problem) -> UploadChecksum? {
        guard let text = request.headers[.uploadChecksum] else { return nil }
        switch TusFields.checksum(text) {
        case .checksum(let checksum): return checksum
        case .unknownAlgorithm:
            throw Problem(
                .badRequest, code: "checksum_algorithm_unknown", detail: "The checksum's algorithm is not known here.",
                hint: "Use one of the listed ones.", field: "Upload-Checksum",
                allowed: UploadChecksum.Algorithm.allCases.map(\.rawValue))
        case .malformed:
            throw .uploadHeader(
                .uploadChecksum, "Upload-Checksum is not an algorithm and a digest in Base64.",
                hint: "Send `sha256 <Base64>`.")
        }
    }
}

/// The head of a request of the draft, read.
enum DraftRequest {
    static func append(_ request: Request) throws(Problem) -> UploadAppend {
        guard let offset = request.headers[.uploadOffset].flatMap({ DraftFields.bytes($0) }) else {
            throw .uploadHeader(
                .uploadOffset, "Upload-Offset is missing or not a number of bytes.",
                hint: "HEAD tells where the upload stands.")
        }
        guard let completes = request.headers[.uploadComplete].flatMap({ DraftFields.boolean($0) }) else {
            throw .uploadHeader(
                .uploadComplete, "Upload-Complete is missing or neither ?0 nor ?1.",
                hint: "Send ?1 with the last bytes.")
        }
        return try append(request, offset: offset, completes: completes)
    }

    static func append(_ request: Request, offset: Int64, completes: Bool) throws(Problem) -> UploadAppend {
        let digest = request.headers[.contentDigest].flatMap { DraftFields.sha256($0) }
        return UploadAppend(
            offset: offset, announced: request.announcedBytes,
            length: request.headers[.uploadLength].flatMap { DraftFields.bytes($0) },
            checksum: digest.map { UploadChecksum(.sha256, $0) }, completes: completes)
    }

    /// What tus says with fields of its own would be silently lost.
    static func refuseFieldsOfTus(_ request: Request) throws(Problem) {
        for field in [HTTPField.Name.uploadDeferLength, .uploadMetadata, .uploadConcat]
        where request.headers[field] != nil {
            throw .uploadHeader(
                field, "\(field.canonicalName) is a field of tus, and this request does not speak it.",
                hint: "Send Tus-Resumable: 1.0.0 and no Upload-Complete, or leave this field out.")
        }
    }

    /// What the whole has to hash to, in hexadecimal.
    static func wholeDigest(_ request: Request) -> String? {
        request.headers[.representationDigest].flatMap { DraftFields.sha256($0) }.map { hexadecimal($0) }
    }
}

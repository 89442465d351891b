import type {HealthRule} from '../health-rule.ts'

// NetApp's protection kinds have moved from one group to the other.
const protectedKinds = (...names: readonly string[]): string[] =>
  names.flatMap((name) => [`astra.netapp.io/${name}`, `protect.trident.netapp.io/${name}`])

export const dataStoreRules: readonly HealthRule[] = [
  {
    kinds: ['postgresql.cnpg.io/Cluster'],
    awaits: '.phase',
    verdicts: [
      ['Current', '[cnpg.io/hibernation]=True'],
      ['Current', 'metadata.annotations[cnpg.io/reconciliationLoop]=disabled', 'reconciliation is switched off'],
      [
        'Failed',
        '.phase=Failing over|*unrecoverable*|Not enough disk space|*failed*|*invalid*|*cannot proceed*|Unable to*',
      ],
      ['Current', '.phase=Cluster in healthy state & !Ready=False'],
      ['InProgress', '.phase'],
    ],
  },
  {
    kinds: ['postgresql.cnpg.io/Backup'],
    awaits: '.phase',
    verdicts: [
      ['Failed', '.phase=failed|*Failing'],
      ['Current', '.phase=completed'],
      ['InProgress', '.phase'],
    ],
  },
  {
    kinds: [
      'postgresql.cnpg.io/Database',
      'postgresql.cnpg.io/Publication',
      'postgresql.cnpg.io/Subscription',
      'postgresql.cnpg.io/Pooler',
    ],
    awaits: 'status',
    verdicts: [
      ['Failed', '.applied=false'],
      ['InProgress', 'spec.instances & .instances<spec.instances'],
    ],
  },
  {
    kinds: ['acid.zalan.do/postgresql'],
    awaits: '.PostgresClusterStatus',
    verdicts: [
      ['Failed', '.PostgresClusterStatus=*Failed|Invalid'],
      ['Current', '.PostgresClusterStatus=Running'],
      ['InProgress', '.PostgresClusterStatus'],
    ],
  },
  {
    kinds: ['postgres-operator.crunchydata.com/PostgresCluster'],
    awaits: '.instances',
    verdicts: [
      ['Current', 'spec.shutdown=true', 'shut down, as its spec asks'],
      ['InProgress', 'any .instances: .readyReplicas<.replicas'],
      ['InProgress', 'any .instances: .updatedReplicas<.replicas'],
    ],
  },
  {
    kinds: [
      'pxc.percona.com/PerconaXtraDBCluster',
      'psmdb.percona.com/PerconaServerMongoDB',
      'ps.percona.com/PerconaServerMySQL',
      'pgv2.percona.com/PerconaPGCluster',
    ],
    awaits: '.state',
    verdicts: [
      ['Failed', '.state=error'],
      ['Current', '.state=ready'],
      ['Current', '.state=paused', 'paused, as its spec asks'],
      ['InProgress', '.state=initializing|stopping'],
      ['Unknown', '.state'],
    ],
  },
  {
    kinds: [
      'pxc.percona.com/PerconaXtraDBClusterBackup',
      'pxc.percona.com/PerconaXtraDBClusterRestore',
      'psmdb.percona.com/PerconaServerMongoDBBackup',
      'psmdb.percona.com/PerconaServerMongoDBRestore',
      'pgv2.percona.com/PerconaPGBackup',
      'pgv2.percona.com/PerconaPGRestore',
    ],
    awaits: '.state',
    verdicts: [
      ['Failed', '.state=failed|error|rejected'],
      ['Current', '.state=succeeded|ready'],
      ['InProgress', '.state'],
    ],
  },
  {
    kinds: ['k8s.mariadb.com/*', 'mariadb.mmontes.io/*'],
    awaits: '.conditions',
  },
  {
    kinds: ['mysql.oracle.com/InnoDBCluster'],
    awaits: '.cluster.status',
    verdicts: [
      ['Failed', '.cluster.status=OFFLINE|NO_QUORUM|SPLIT_BRAIN|INVALID|ONLINE_UNCERTAIN'],
      ['Current', '.cluster.status=ONLINE'],
      ['InProgress', '.cluster.status'],
    ],
  },
  {
    kinds: ['mongodb.com/*', 'mongodbcommunity.mongodb.com/*'],
    awaits: '.phase',
    verdicts: [
      ['Failed', '.phase=Failed|Unsupported'],
      ['Current', '.phase=Running|Updated|Disabled'],
      ['InProgress', '.phase'],
    ],
  },
  {
    kinds: ['apps.kubeblocks.io/Cluster', 'apps.kubeblocks.io/Component'],
    awaits: '.phase',
    verdicts: [
      ['Failed', '.phase=Failed|Abnormal'],
      ['Current', '.phase=Running|Stopped'],
      ['InProgress', '.phase'],
    ],
  },
  {
    kinds: ['atlas.mongodb.com/*'],
    awaits: 'Ready',
  },
  {
    kinds: [
      'elasticsearch.k8s.elastic.co/Elasticsearch',
      'kibana.k8s.elastic.co/Kibana',
      'apm.k8s.elastic.co/ApmServer',
      'agent.k8s.elastic.co/Agent',
      'beat.k8s.elastic.co/Beat',
      'enterprisesearch.k8s.elastic.co/EnterpriseSearch',
      'logstash.k8s.elastic.co/Logstash',
      'maps.k8s.elastic.co/ElasticMapsServer',
    ],
    awaits: '.health',
    verdicts: [
      ['Failed', '.phase=Invalid|Stalled'],
      ['Failed', '.health=red'],
      ['InProgress', '.health=yellow'],
      ['Unknown', '.health!=green'],
      ['InProgress', '.phase=ApplyingChanges|MigratingData|NodeShuttingDown'],
      ['InProgress', '.availableNodes<.expectedNodes'],
      ['InProgress', 'spec.count & .availableNodes<spec.count'],
      ['Current', '.health=green'],
    ],
  },
  {
    kinds: ['clickhouse.altinity.com/*', 'clickhouse-keeper.altinity.com/*'],
    awaits: '.status',
    verdicts: [
      ['Failed', '.status=Failed|Aborted'],
      ['Current', '.status=Completed'],
      ['InProgress', '.status'],
    ],
  },
  {
    kinds: [
      'clickhouse.altinity.com/ClickHouseInstallationTemplate',
      'clickhouse.altinity.com/ClickHouseOperatorConfiguration',
    ],
  },
  {
    kinds: ['solr.apache.org/SolrCloud'],
    awaits: 'status',
    verdicts: [['InProgress', '.upToDateNodes & .upToDateNodes<.replicas']],
  },
  {
    kinds: ['zookeeper.pravega.io/ZookeeperCluster', 'redis.redis.opstreelabs.in/*'],
    awaits: 'status',
  },
  {
    kinds: ['cassandra.rook.io/Cluster', 'scylla.scylladb.com/ScyllaCluster'],
    awaits: '.racks',
    verdicts: [['InProgress', 'any .racks: .readyMembers<.members']],
  },
  {
    kinds: ['cassandra.datastax.com/CassandraDatacenter'],
    awaits: 'status',
    verdicts: [
      ['Current', 'Stopped=True'],
      ['InProgress', '.cassandraOperatorProgress=Updating'],
    ],
  },
  {
    // HEALTH_WARN still serves, so it is not a failure, but something is to be done or under way.
    kinds: ['ceph.rook.io/CephCluster'],
    awaits: '.state',
    verdicts: [
      ['Failed', '.state=Error'],
      ['Failed', '.ceph.health=HEALTH_ERR'],
      ['InProgress', '.state=Creating|Updating|Upgrading|Connecting'],
      ['InProgress', '.ceph.health=HEALTH_WARN'],
      ['Current', '.ceph.health=HEALTH_OK'],
    ],
  },
  {
    kinds: [
      'ceph.rook.io/CephBlockPool',
      'ceph.rook.io/CephFilesystem',
      'ceph.rook.io/CephObjectStore',
      'ceph.rook.io/CephObjectStoreUser',
      'objectbucket.io/ObjectBucketClaim',
    ],
    awaits: '.phase',
  },
  {
    kinds: ['longhorn.io/Volume'],
    awaits: '.state',
    verdicts: [
      ['Failed', '.robustness=faulty'],
      ['InProgress', '.robustness=degraded'],
      ['InProgress', '.state=creating|attaching|detaching|deleting'],
      ['Current', '.state=attached|detached'],
    ],
  },
  {
    kinds: ['minio.min.io/Tenant'],
    awaits: '.currentState',
    verdicts: [
      ['Failed', '.healthStatus=red'],
      ['Current', '.currentState=Initialized & !.healthStatus=yellow'],
      [
        'InProgress',
        '.currentState=Initialized|Provisioning*|Waiting*|Updating*|Restarting*|Pool*|Statefulset not controlled*',
      ],
      ['Failed', '.currentState'],
    ],
  },
  {
    kinds: ['velero.io/Backup', 'velero.io/Restore', 'velero.io/PodVolumeBackup', 'velero.io/PodVolumeRestore'],
    awaits: '.phase',
    verdicts: [
      ['Failed', '.phase=*Failed|FailedValidation'],
      ['Current', '.phase=Completed'],
      ['InProgress', '.phase'],
    ],
  },
  {
    kinds: ['velero.io/BackupStorageLocation'],
    awaits: '.phase',
    verdicts: [['Failed', '.phase=Unavailable']],
  },
  {
    kinds: protectedKinds(
      'Backup',
      'Snapshot',
      'ExecHooksRun',
      'ResticVolumeBackup',
      'ResticVolumeRestore',
      'KopiaVolumeBackup',
      'KopiaVolumeRestore',
      'BackupRestore',
      'SnapshotRestore',
      'BackupInplaceRestore',
      'SnapshotInplaceRestore',
      'ResourceBackup',
      'ResourceRestore',
      'PVCCopy',
      'PVCErase',
      'ShutdownSnapshot',
      'AutoSupportBundle',
    ),
    awaits: '.state',
    verdicts: [
      ['Failed', '.state=Failed|Error'],
      ['Current', '.state=Completed'],
      ['InProgress', '.state'],
    ],
  },
  {
    kinds: protectedKinds('AppMirrorRelationship'),
    awaits: '.state',
    verdicts: [
      ['Failed', '.state=Failed|Error'],
      ['Current', '.state=Established|Promoted|Failed over|Deleted'],
      ['InProgress', '.state'],
    ],
  },
  {
    kinds: protectedKinds('AppVault'),
    awaits: '.state',
  },
  {
    kinds: ['snapshot.storage.k8s.io/VolumeSnapshot', 'snapshot.storage.k8s.io/VolumeSnapshotContent'],
    awaits: 'status',
    verdicts: [
      ['Failed', '.error.message'],
      ['Current', '.readyToUse=true'],
      ['InProgress', '!.readyToUse=true', 'the snapshot is not ready to use yet'],
    ],
  },
  {
    kinds: ['cdi.kubevirt.io/DataVolume'],
    awaits: '.phase',
    verdicts: [
      ['Failed', '.phase=Failed'],
      ['Failed', 'Running=False(Error|*Failed)'],
      ['Unknown', '.phase=Unknown'],
      ['Current', '.phase=Succeeded'],
      ['Current', '.phase=Paused', 'paused between stages, as its spec asks'],
      ['InProgress', '.phase'],
    ],
  },
]
